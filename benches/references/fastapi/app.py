"""The service of common tutorials: FastAPI as a Lambda function under Mangum. It has no rate limit."""

from fastapi import FastAPI
from mangum import Mangum

from generate import generate

app = FastAPI()
app.get("/api/generate")(generate)
handler = Mangum(app, lifespan="off")
