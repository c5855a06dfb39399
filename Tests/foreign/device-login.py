"""Logs in with the fields of every login vector, each over ws and over wss with the pinned key. Usage: device-login.py WS-URL WSS-URL PIN VECTORS"""

import asyncio
import hashlib
import json
import ssl
import subprocess
import sys

import websockets

plain, secure, pin, vectors = sys.argv[1:5]


def digest(vector, challenge):
    info = [vector["info"]] if vector["info"] is not None else []
    fields = [vector[name] for name in ("app", "domain", "sip", "guid", "dn")] + info + [challenge, vector["password"]]
    return hashlib.sha256(":".join(fields).encode()).hexdigest()


def login(vector, challenge):
    """The message as text: info stands in it exactly as the digest covers it."""
    message = {"mt": "AppLogin", **{name: vector[name] for name in ("app", "domain", "sip", "guid", "dn")}}
    message["digest"] = digest(vector, challenge)
    text = json.dumps(message, ensure_ascii=False)
    return text if vector["info"] is None else text[:-1] + ',"info":' + vector["info"] + "}"


def key_of(certificate):
    """SHA-256 of the SubjectPublicKeyInfo."""
    public = subprocess.run(["openssl", "x509", "-inform", "DER", "-pubkey", "-noout"], input=certificate, capture_output=True, check=True)
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=public.stdout, capture_output=True, check=True)
    return hashlib.sha256(der.stdout).hexdigest()


async def log_in(url, vector):
    tls = {}
    if url.startswith("wss:"):
        tls["ssl"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls["ssl"].check_hostname, tls["ssl"].verify_mode = False, ssl.CERT_NONE
    async with websockets.connect(url, **tls) as socket:
        if tls:
            certificate = socket.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            assert key_of(certificate) == pin, "the key is not the pinned one"
        await socket.send('{"mt":"AppChallenge"}')
        challenge = json.loads(await socket.recv())["challenge"]
        await socket.send(login(vector, challenge))
        result = json.loads(await socket.recv())
        assert result["ok"] is True, (vector["source"], result)


async def main():
    with open(vectors) as file:
        for vector in json.load(file)["digest"]:
            assert digest(vector, vector["challenge"]) == vector["digest"], "the vector itself"
            for url in (plain, secure):
                await log_in(url, vector)
    print("all logins accepted")


asyncio.run(main())
