"""Passwords: which are good enough, and their Argon2id hashes, made off the loop."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_LONG = 12
_SHORTEST = 8
_LONGEST = 256
_CLASSES = 3
_DIFFERENT = 5
_WEAK_WORDS = """
    123456789012 1234567890ab password1234 passw0rd1234 qwertyuiop12 qwerty123456 1qaz2wsx3edc
    abcd12345678 abc123456789 a1234567890b administrator admin1234567 admin@123456 welcome12345
    p@ssw0rd passw0rd! password1! admin@123 admin123! qwer1234! qwer@1234 1qaz@wsx 1qaz!qaz abc@1234
    abcd@1234 abc123!@# a123456! woaini1314 woaini520! welcome1! iloveyou1! test@123 huawei@123
    hik12345+ hikvision123 dahua12345 changeme123! xunkao123456 xunkao@123 xunkao@2026
"""
_WEAK = frozenset(_WEAK_WORDS.split())


def weakness(password: str, user: str) -> str | None:
    """Say what is wrong with a new password, or None when it will do."""
    lower = password.lower()
    if len(password) > _LONGEST:
        return f"at most {_LONGEST} characters"
    if len(password) < _SHORTEST or (len(password) < _LONG and _classes(password) < _CLASSES):
        return (
            f"at least {_LONG} characters, or {_SHORTEST} with {_CLASSES} of: "
            "lower case, upper case, digits, others"
        )
    if lower in _WEAK or len(set(lower)) < _DIFFERENT:
        return "too easy to guess"
    if len(user) >= 3 and user.lower() in lower:
        return "it contains the user's name"
    return None


def _classes(password: str) -> int:
    """Count what kinds of characters it mixes; Chinese counts among the others."""
    return len(
        {
            "lower" if c.islower() else "upper" if c.isupper() else "digit" if c.isdigit() else ""
            for c in password
        }
    )


class Passwords:
    """Hashes and verifies, two at a time, each costing the same whoever asks."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(2)  # 64 MiB and a core each
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Give the hash, with its salt and parameters."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, hashed: str | None, password: str) -> bool:
        """True when the password made the hash. Without a hash: False, at the same cost."""
        if self._nobody is None:
            self._nobody = await self.hash("")
        async with self._turns:
            fits = await asyncio.to_thread(self._fits, hashed or self._nobody, password)
        return fits and hashed is not None

    def _fits(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except VerificationError:
            return False
