"""The service of common tutorials: FastAPI as a Lambda function under Mangum. It has no rate limit."""

import secrets
import string

from fastapi import FastAPI, HTTPException, Query
from mangum import Mangum

app = FastAPI()


@app.get("/api/generate")
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


handler = Mangum(app, lifespan="off")
