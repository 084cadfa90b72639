from careless import models  # noqa: F401
from careless.db import Base, engine

if __name__ == "__main__":
    Base.metadata.create_all(engine)
