import os

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello():
    return f"Hello from Flask, release v{os.environ.get('PAVIOR_RELEASE', '0')}\n"
