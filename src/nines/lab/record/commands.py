"""What Redis's commands are, as far as their keys and their effect are concerned (redis.io/commands)."""

from __future__ import annotations

KEYS_MAX = 16
"""Keys kept of one command."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WITH_SUBCOMMAND = _words(
    "CLIENT CONFIG CLUSTER COMMAND SCRIPT FUNCTION OBJECT MEMORY XGROUP XINFO PUBSUB ACL LATENCY MODULE SLOWLOG"
)
_WITHOUT_KEYS = _words(
    "PING HELLO AUTH SELECT ECHO QUIT INFO MULTI EXEC DISCARD UNWATCH FLUSHDB FLUSHALL DBSIZE TIME WAIT READONLY "
    "READWRITE ASKING MONITOR SAVE BGSAVE ROLE RESET KEYS SCAN RANDOMKEY LASTSAVE SWAPDB"
)
_ALL_KEYS = _words(
    "DEL UNLINK EXISTS TOUCH MGET WATCH SINTER SUNION SDIFF SINTERSTORE SUNIONSTORE SDIFFSTORE PFCOUNT PFMERGE "
    "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE RENAME RENAMENX"
)
_ALL_BUT_LAST = _words("BLPOP BRPOP BZPOPMIN BZPOPMAX")
_COUNTED_KEYS = _words("EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO")
_FLAGS = _words("NX XX EX PX EXAT PXAT KEEPTTL GET BLOCK")
_NO_FLAGS = _words("PUBLISH SPUBLISH SETNX SETEX PSETEX GETSET APPEND MSET MSETNX HSET HMSET")
SUBSCRIPTIONS = _words("SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE")
READS = _words(
    "GET MGET GETRANGE STRLEN EXISTS"
    "  TTL PTTL TYPE HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS HSCAN LRANGE LLEN LINDEX "
    "LPOS SMEMBERS SISMEMBER SMISMEMBER SCARD SRANDMEMBER SSCAN SINTER SUNION SDIFF ZRANGE ZRANGEBYSCORE ZREVRANGE "
    "ZREVRANGEBYSCORE ZSCORE ZMSCORE ZCARD ZCOUNT ZRANK ZREVRANK ZSCAN XLEN XRANGE XREVRANGE XREAD SCAN KEYS BITCOUNT "
    "GETBIT GEOPOS GEODIST GEOSEARCH PFCOUNT DUMP OBJECT RANDOMKEY DBSIZE SUBSTR EVAL_RO EVALSHA_RO FCALL_RO"
)
CONNECTION = _words(
    "PING HELLO AUTH SELECT ECHO QUIT INFO CLIENT CONFIG CLUSTER COMMAND SCRIPT FUNCTION READONLY READWRITE ASKING "
    "ROLE RESET TIME WAIT MULTI EXEC DISCARD WATCH UNWATCH ACL LATENCY MEMORY MODULE SLOWLOG PUBSUB"
)
"""What serves the connection and not the data."""


def flags_of(name: str, words: list[str]) -> tuple[str, ...]:
    """The words among a command's arguments that change its meaning, upper case."""
    if name in _ALL_KEYS or name in _NO_FLAGS:
        return ()
    return tuple(word.upper() for word in words[2:] if word.upper() in _FLAGS)


def keys_of(name: str, words: list[str]) -> tuple[str, ...]:
    """The keys (or channels, or streams) among a command's words."""
    if name in _WITHOUT_KEYS or " " in name:
        return ()
    if name in _COUNTED_KEYS:
        count = int(words[2]) if len(words) > 2 and words[2].isdigit() else 0
        found = words[3 : 3 + count]
    elif name in ("MSET", "MSETNX"):
        found = words[1::2]
    elif name in _ALL_BUT_LAST:
        found = words[1:-1]
    elif name in _ALL_KEYS:
        found = words[1:]
    elif name in ("XREAD", "XREADGROUP"):
        upper = [word.upper() for word in words]
        rest = words[upper.index("STREAMS") + 1 :] if "STREAMS" in upper else []
        found = rest[: len(rest) // 2]
    else:
        found = words[1:2]
    return tuple(found[:KEYS_MAX])
