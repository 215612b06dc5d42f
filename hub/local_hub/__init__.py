"""A hub of one's own: models and Spaces kept in a folder, served to the Hub's client.

For people without an account or without a network, and for laboratories that share models among
themselves: `scorehub hub --dir DIR` speaks those parts of the Hub's protocol that publishing,
listing and loading need, so that they work against it once $HF_ENDPOINT names its address.

What it is not: one process serves one folder, and everything passes through it. There are no pages
but plain text, no git, no pull requests, no data sets, no organisations, no copy elsewhere. Spaces
are kept but not run, and of their secrets only the names. Downloads are not counted. Transport is
plain HTTP. For more than a few people in a network that they trust, take the Hub itself.

Who may write: without a token file everybody who reaches the address, which is why it is then the
machine's own (127.0.0.1) and no other. With one, the owners of the tokens, each below their own
name; what is private is seen by its owner. No token is kept, printed or logged, only compared.

    names.py     what repositories, files, branches and tags may be called
    store.py     repositories, commits and blobs in a folder; atomic; knows nothing of HTTP
    access.py    who is asking, and may they? Which pages of a browser may ask at all?
    http.py      requests read within bounds; refusals in the Hub's manner
    shapes.py    the JSON that the client reads
    routes/      the endpoints, by subject
    app.py       all of it as one ASGI application
    serve.py     the application at an address, until it is stopped

starlette and uvicorn come with gradio; they are imported when `serve` is called.
"""
