"""What people type to enter a class: its code, a password, a nickname."""

import hashlib
import secrets
import unicodedata

from ser_core.errors import ClassroomError

# Without vowels, which would make words, and without what is taken for another: 0 O, 1 I L, 2 Z, 5 S, 8 B, U V.
CODE_SIGNS = "CDFGHJKMNPQRTWXY34679"
CODE_LENGTH = 6
PASSWORD_LENGTHS = (8, 200)
NICKNAME_LENGTH = 40
_TURNS = set(range(0x202A, 0x202F)) | set(range(0x2066, 0x206A))  # signs that turn the direction of all that follows

_BLANKS = "\u115f\u1160\u2800"  # letters, by their category, of which nothing can be seen


def new_code() -> str:
    """A code at random, e.g. "K7RTW3".

    Returns
    -------
    str
    """
    return "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))


def read_code(text: str) -> str:
    """A code as people type it.

    Parameters
    ----------
    text : str
        In capitals or not, with or without spaces and hyphens.

    Returns
    -------
    str

    Raises
    ------
    ClassroomError
        If it cannot be a code.

    Examples
    --------
    >>> read_code(" k7r-tw3")
    'K7RTW3'
    """
    code = "".join(text.upper().replace("-", "").split())
    if len(code) != CODE_LENGTH or not set(code) <= set(CODE_SIGNS):
        raise ClassroomError(
            f"{text[:20]!r} is not the code of a class. A code has {CODE_LENGTH} signs of {CODE_SIGNS}: "
            "read it again from the teacher's screen"
        )
    return code


def derived(password: str, salt: bytes) -> bytes:
    """The key that a password gives; slow on purpose (about 50 ms), so that a stolen file does not give passwords away.

    Parameters
    ----------
    password : str
    salt : bytes

    Returns
    -------
    bytes

    Raises
    ------
    ClassroomError
        If it is too short or too long for a password.
    """
    shortest, longest = PASSWORD_LENGTHS
    if not shortest <= len(password) <= longest:
        raise ClassroomError(
            f"A password has {shortest} to {longest} signs; this one has {len(password)}. "
            "Three or four words in a row are long enough and easy to keep"
        )
    # As the next person's keyboard may compose an accent otherwise.
    typed = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(typed, salt=salt, n=2**14, r=8, p=1)


def read_nickname(text: str) -> str:
    """A nickname as it is shown: as it was typed, without blanks around it.

    Parameters
    ----------
    text : str
        Anything that can be seen; markup and the like is text.

    Returns
    -------
    str

    Raises
    ------
    ClassroomError
        If nothing of it can be seen, if it is too long, or if it has signs that would change the text around it.
    """
    nickname = " ".join(unicodedata.normalize("NFC", text).split())
    if len(nickname) > NICKNAME_LENGTH:
        raise ClassroomError(
            f"A nickname has at most {NICKNAME_LENGTH} signs; this one has {len(nickname)}: choose a shorter one"
        )
    if any(ord(sign) in _TURNS or unicodedata.category(sign) in ("Cc", "Cs") for sign in nickname):
        raise ClassroomError("This nickname has signs that cannot be shown: choose one of letters, digits or emoji")
    if not comparable(nickname):
        raise ClassroomError("A nickname is missing: type any name that is not your own")
    return nickname


def comparable(nickname: str) -> str:
    """What two nicknames have in common that people take for the same, such as "Anna" and "ANNA".

    Parameters
    ----------
    nickname : str

    Returns
    -------
    str

    Examples
    --------
    >>> comparable("Anna B") == comparable("ANNA b")
    True
    """
    plain = unicodedata.normalize("NFKC", nickname).casefold()
    return "".join(sign for sign in plain if unicodedata.category(sign)[0] not in "ZC" and sign not in _BLANKS)
