"""What servers have been of two minds about: where a request ends, and what hides in it."""

HIDDEN = b"GET /api/v1/wallet/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def post(edge, rest, version=b"1.1"):
    return b"POST /api/v1/wallet/adjustments HTTP/%b\r\n%bContent-Type: application/json\r\n%b" % (
        version,
        edge.lines,
        rest,
    )


BOTH = {
    "G1 length, then chunked": b"Content-Length: 6\r\nTransfer-Encoding: chunked",
    "G1 length of all, then chunked": b"Content-Length: 61\r\nTransfer-Encoding: chunked",
    "G1 length zero, then chunked": b"Content-Length: 0\r\nTransfer-Encoding: chunked",
    "G2 chunked, then length": b"Transfer-Encoding: chunked\r\nContent-Length: 4",
    "G2 chunked, then length in capitals": b"TRANSFER-ENCODING: CHUNKED\r\nCONTENT-LENGTH: 4",
}

LENGTHS = {
    "G4 the same twice": b"Content-Length: 2\r\nContent-Length: 2",
    "G4 two": b"Content-Length: 2\r\nContent-Length: 61",
    "G4 two in one": b"Content-Length: 2, 2",
    "G4 a sign": b"Content-Length: +2",
    "G4 negative": b"Content-Length: -2",
    "G4 hexadecimal": b"Content-Length: 0x2",
    "G4 an underscore": b"Content-Length: 0_2",
    "G4 a fraction": b"Content-Length: 2.0",
    "G4 a space inside": b"Content-Length: 0 2",
    "G4 a semicolon": b"Content-Length: 2;a",
    "G4 empty": b"Content-Length:",
    "G4 a vertical tab": b"Content-Length: \x0b2",
    "G4 Arabic digits": b"Content-Length: \xd9\xa2",
    "G4 past 64 bits": b"Content-Length: 18446744073709551618",
    "G4 a space before the colon": b"Content-Length : 2",
    "G4 an underscore in its name": b"Content_Length: 2",
}

CODINGS = {
    "G3 xchunked": b"Transfer-Encoding: xchunked",
    "G3 chunked, identity": b"Transfer-Encoding: chunked, identity",
    "G3 identity": b"Transfer-Encoding: identity",
    "G3 identity, chunked": b"Transfer-Encoding: identity, chunked",
    "G3 gzip, chunked": b"Transfer-Encoding: gzip, chunked",
    "G3 chunked twice in one": b"Transfer-Encoding: chunked, chunked",
    "G3 chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "G3 chunked and identity": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "G3 identity and chunked": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "G3 space before the colon": b"Transfer-Encoding : chunked",
    "G3 tab before the colon": b"Transfer-Encoding\t: chunked",
    "G3 vertical tab before the colon": b"Transfer-Encoding\x0b: chunked",
    "G3 vertical tab after the colon": b"Transfer-Encoding: \x0bchunked",
    "G3 NUL after chunked": b"Transfer-Encoding: chunked\0",
    "G3 quoted": b'Transfer-Encoding: "chunked"',
    "G3 with a parameter": b"Transfer-Encoding: chunked;a=b",
    "G3 empty": b"Transfer-Encoding:",
    "G3 a comma": b"Transfer-Encoding: ,",
    "G3 a comma before": b"Transfer-Encoding: , chunked",
    "G3 a folded line": b"Transfer-Encoding:\r\n chunked",
    "G3 a folded line before": b"X-A: b\r\n Transfer-Encoding: chunked",
    "G3 an underscore": b"Transfer_Encoding: chunked",
    "G3 a bare CR before": b"X-A: b\rTransfer-Encoding: chunked",
    "G3 a bare LF before": b"X-A: b\nTransfer-Encoding: chunked",
    "G3 a space before the name": b" Transfer-Encoding: chunked",
    "G3 non-ASCII": b"Transfer-Encoding: chun\xebked",
}

CHUNKS = {
    "G7 an extension with a bare LF": b"2;a\n{}\r\n0\r\n\r\n",
    "G7 an extension with a bare CR": b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "G7 size ended by a bare LF": b"2\n{}\r\n0\r\n\r\n",
    "G7 size ended by a bare CR": b"2\r{}\r\n0\r\n\r\n",
    "G7 data ended by a bare LF": b"2\r\n{}\n0\r\n\r\n",
    "G7 data ended by nothing": b"2\r\n{}0\r\n\r\n",
    "G7 more data than its size": b"2\r\n{}}\r\n0\r\n\r\n",
    "G7 less data than its size": b"5\r\n{}\r\n0\r\n\r\n",
    "G7 size past 64 bits": b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "G7 size with 0x": b"0x2\r\n{}\r\n0\r\n\r\n",
    "G7 size with a sign": b"+2\r\n{}\r\n0\r\n\r\n",
    "G7 negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "G7 size with an underscore": b"0_2\r\n{}\r\n0\r\n\r\n",
    "G7 size after a space": b" 2\r\n{}\r\n0\r\n\r\n",
    "G7 size of no digits": b"\r\n{}\r\n0\r\n\r\n",
    "G7 size that is no number": b"g\r\n{}\r\n0\r\n\r\n",
    "G7 an extension without a semicolon": b"2 a\r\n{}\r\n0\r\n\r\n",
    "G7 NUL in an extension": b"2;\0\r\n{}\r\n0\r\n\r\n",
    "G7 last chunk ended by a bare LF": b"2\r\n{}\r\n0\n\n",
    "G8 a trailer with a bare LF": b"2\r\n{}\r\n0\r\nX-A: b\n\r\n",
    "G8 a trailer folded": b"2\r\n{}\r\n0\r\nX-A: b\r\n c\r\n\r\n",
    "G8 a trailer without a colon": b"2\r\n{}\r\n0\r\nX-A\r\n\r\n",
}

GET = b"GET /api/v1/wallet HTTP/1.1\r\n"

# {lines} stands for the header lines of a good request.
LINES = {
    "G7 a bare LF everywhere": GET.replace(b"\r", b"") + b"{lines}\n",
    "G7 a bare LF after the request line": GET.replace(b"\r", b"") + b"{lines}\r\n",
    "G7 a bare CR after the request line": GET.replace(b"\n", b"") + b"{lines}\r\n",
    "G7 a bare LF at the end": GET + b"{lines}\n",
    "G7 NUL in a header": GET + b"{lines}X-A: \0\r\n\r\n",
    "G7 a header without a name": GET + b"{lines}: a\r\n\r\n",
    "G7 a header without a colon": GET + b"{lines}X-A\r\n\r\n",
    "G7 a space in a header's name": GET + b"{lines}X A: b\r\n\r\n",
    "G7 non-ASCII in a header's name": GET + b"{lines}X-\xc3\xa9: b\r\n\r\n",
    "G7 a folded first header": GET + b" X-A: b\r\n{lines}\r\n",
    "G7 a space before the method": b" " + GET + b"{lines}\r\n",
    "G7 a tab in the request line": GET.replace(b" ", b"\t") + b"{lines}\r\n",
    "G7 HTTP/0.9": b"GET /api/v1/wallet\r\n",
    "G7 HTTP/1.2": GET.replace(b"1.1", b"1.2") + b"{lines}\r\n",
    "G7 HTTP/1.10": GET.replace(b"1.1", b"1.10") + b"{lines}\r\n",
    "G7 HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "G7 http in lower case": GET.replace(b"HTTP", b"http") + b"{lines}\r\n",
    "G7 TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(32),
}

POST = b"POST /api/v1/wallet HTTP/1.1\r\n"

# Whole requests in whose end, or in whose second request, servers have been of two minds. {lines} as above.
FAMILIES = {
    "CL.0": POST + b"{lines}Content-Length: %d\r\n\r\n" % len(HIDDEN),
    "0.CL": GET + b"{lines}Content-Length: %d\r\n\r\n" % len(HIDDEN),
    "0.CL on HEAD": b"HEAD" + GET[3:] + b"{lines}Content-Length: %d\r\n\r\n" % len(HIDDEN),
    "TE.0": b"OPTIONS /api/v1/wallet HTTP/1.1\r\n{lines}" + CHUNKED + b"%x\r\n" % len(HIDDEN),
    "0.TE": GET + b"{lines}" + CHUNKED + b"%x\r\n" % len(HIDDEN),
    "Expect and a length": POST + b"{lines}Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN),
    "Expect of another kind": POST + b"{lines}Expect: y 100-continue\r\n"
    b"Content-Length: %d\r\n\r\n" % len(HIDDEN),
    "Expect on GET": GET + b"{lines}Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN),
    "Upgrade and a length": POST + b"{lines}Connection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN),
    "Connection that names the length": POST + b"{lines}Connection: Content-Length\r\n"
    b"Content-Length: %d\r\n\r\n" % len(HIDDEN),
    "a length of the first line only": POST + b"{lines}Content-Length: 0\r\n\r\n\r\n",
    "absolute-form": b"GET http://localhost/api/v1/wallet HTTP/1.1\r\n{lines}\r\n",
    "HTTP/0.9 behind": GET + b"{lines}\r\nGET /api/v1/wallet/hidden\r\n",
    "a body past its length": POST + b"{lines}Content-Length: 2\r\n\r\n{}garbage",
    "a chunk size of many zeros": POST + b"{lines}" + CHUNKED + b"0" * 40 + b"\r\n",
    "a chunk size that wraps": POST + b"{lines}" + CHUNKED + b"100000000\r\n",
    "an extension with a quoted line end": POST + b"{lines}" + CHUNKED + b'2;a="\r\n{}\r\n0\r\n\r\n',
    "NUL before a length": POST + b"{lines}\0Content-Length: 2\r\n\r\n{}",
    "VT before a coding": POST + b"{lines}\x0bTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "CR before a coding": POST + b"{lines}X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}
