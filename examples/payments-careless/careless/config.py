from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_url: str = "postgresql://localhost/payments"
    gateway_url: str = "http://localhost:9000"
    jwt_secret: str = "change-me-in-production-please"
    debug: bool = False

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)


settings = Settings()
