"""Ids of events, made of what they say and never of where they lie, so that a reader can drop what it has taken."""

import hashlib


def tick_id(venue: str, session: str, sequence: int) -> str:
    return f"{venue}/{session}/{sequence}"


def spread_id(shard: int, pair: str, sequence: int) -> str:
    return f"{shard}/{pair}/{sequence}"


def marks_id(shard: int, sequence: int) -> str:
    return f"marks/{shard}/{sequence}"


def signal_id(name: str, version: str, pair: str, last_sequence: int, action: str) -> str:
    """Also written in SQL, where signals are made: a test holds the two together."""
    return f"signal/{name}/{version}/{pair}/{last_sequence}/{action}"


def intent_id(client_order_id: str) -> str:
    return f"intent/{client_order_id}"


def report_id(venue: str, exec_id: str) -> str:
    return f"report/{venue}/{exec_id}"


def risk_id(account: str, as_of_ns: int, sequence: int) -> str:
    """`sequence`: of the last position that it is told of."""
    return f"risk/{account}/{as_of_ns}/{sequence}"


def client_order_id(session_id: str, account: str, cause: str, leg: int) -> str:
    """Twenty hex digits: the same cause gives the same order in every run of the same session, and in no other."""
    text = "\x1f".join((session_id, account, cause, str(leg)))
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def child_order_id(parent: str, number: int) -> str:
    """Of a parent's `number`-th child, from 0: the same however often the parent is worked from its log."""
    return hashlib.blake2b(f"{parent}\x1fchild\x1f{number}".encode(), digest_size=10).hexdigest()


def child_cancel_id(child: str) -> str:
    """Of the request that a child be canceled: its parent's goes to several, and a venue takes an id once."""
    return hashlib.blake2b(f"{child}\x1fcancel".encode(), digest_size=10).hexdigest()
