"""Typed calls between services: what needs the extra `grpc`, which is imported only by whoever imports this."""

from nines_runtime.calls.grpc import GrpcClient, GrpcReply
from nines_runtime.calls.grpc_status import Trouble, trouble_of
from nines_runtime.calls.messages import MessageError, Messages
from nines_runtime.calls.protofile import ProtoError
from nines_runtime.running.grpc_server import GrpcListener
from nines_runtime.web.rpc import Method

__all__ = [
    "GrpcClient",
    "GrpcListener",
    "GrpcReply",
    "MessageError",
    "Messages",
    "Method",
    "ProtoError",
    "Trouble",
    "trouble_of",
]
