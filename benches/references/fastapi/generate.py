"""The generator of both services with FastAPI."""

import secrets
import string

from fastapi import HTTPException, Query


def generate(
    length: int = Query(16, ge=4, le=256),
    lowercase: bool = True,
    uppercase: bool = True,
    digits: bool = True,
    special: bool = False,
    exclude: str = "",
):
    characters = (
        string.ascii_lowercase * lowercase
        + string.ascii_uppercase * uppercase
        + string.digits * digits
        + "!@#$%^&*()_+-=[]{}|;:,.<>?" * special
    )
    characters = [character for character in characters if character not in exclude]
    if not characters:
        raise HTTPException(status_code=400, detail="no characters left")
    return {"password": "".join(secrets.choice(characters) for _ in range(length)), "length": length}
