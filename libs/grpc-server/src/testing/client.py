"""What gRPC's C core makes of the server: run with its address; prints one line for each check that fails."""

import sys
import threading
import time

import grpc

address = sys.argv[1]
passed = 0
failed = 0


def check(what, holds):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print("FAILED", what)


def code_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
channel = grpc.insecure_channel(address, options=options)
unary = channel.unary_unary("/test.Echo/Unary")
wait = channel.unary_unary("/test.Echo/Wait")
fail = channel.unary_unary("/test.Echo/Fail")
large = channel.unary_unary("/test.Echo/Large")
collect = channel.stream_unary("/test.Echo/Collect")
repeat = channel.unary_stream("/test.Echo/Repeat")
chat = channel.stream_stream("/test.Echo/Chat")

# Unary: sizes, metadata, status.
for size in (0, 1, 16379, 16380, 65535, 1 << 20, 7_000_000):
    body = bytes(size)
    check(f"echo of {size}", unary(body, timeout=20) == body)
sent = (("echo", "plain"), ("echo", "twice"), ("echo-bin", bytes(range(256))))
answer, call = unary.with_call(b"x", metadata=sent, timeout=5)
check("answer with metadata", answer == b"x")
check("initial metadata", [(k, v) for k, v in call.initial_metadata() if k.startswith("echo")] == list(sent))
check("trailing metadata", [(k, v) for k, v in call.trailing_metadata() if k.startswith("echo")] == list(sent))
try:
    fail("9|grün & 100 %\nzweite".encode(), metadata=sent[2:], timeout=5)
    check("fails", False)
except grpc.RpcError as error:
    check("code", error.code() == grpc.StatusCode.FAILED_PRECONDITION)
    check("details", error.details() == "grün & 100 %\nzweite")
    check("error trailers", ("echo-bin", bytes(range(256))) in [(k, v) for k, v in error.trailing_metadata()])
missing = channel.unary_unary("/test.Echo/Nothing")
check("unimplemented", code_of(lambda: missing(b"x", timeout=5)) == grpc.StatusCode.UNIMPLEMENTED)
check("too large in", code_of(lambda: unary(bytes(8_000_001), timeout=20)) == grpc.StatusCode.RESOURCE_EXHAUSTED)
check("too large out", code_of(lambda: large(b"8000001", timeout=20)) == grpc.StatusCode.RESOURCE_EXHAUSTED)
check("metadata too large", code_of(lambda: unary(b"", metadata=(("a", "x" * 20000),), timeout=5)) == grpc.StatusCode.RESOURCE_EXHAUSTED)
check("deadline", code_of(lambda: wait(b"x", timeout=0.05)) == grpc.StatusCode.DEADLINE_EXCEEDED)

# Compression both of a call and of a channel.
for algorithm in (grpc.Compression.Gzip, grpc.Compression.Deflate):
    body = b"abc" * 100_000
    check(f"compressed by {algorithm}", unary(body, compression=algorithm, timeout=10) == body)
    parts = list(chat(iter([body, b"", body]), compression=algorithm, timeout=10))
    check(f"stream compressed by {algorithm}", parts == [body, b"", body])

# Cancelling from the caller's side.
future = wait.future(b"x", timeout=30)
time.sleep(0.05)
future.cancel()
check("cancelled", future.code() == grpc.StatusCode.CANCELLED)
check("goes on", unary(b"y", timeout=5) == b"y")

# Streams.
check("collect", collect(iter([bytes([n]) * 50_000 for n in range(100)]), timeout=20)[-1] == 99)
check("collect nothing", collect(iter([]), timeout=5) == b"")
sizes = [len(part) for part in repeat(b"200x60000", timeout=30)]
check("repeat", sizes == [60000] * 200)
check("repeat nothing", list(repeat(b"0x0", timeout=5)) == [])
messages = [str(n).encode() for n in range(2000)]
check("chat", list(chat(iter(messages), timeout=20)) == messages)
stream = chat(iter([b"a", b"fail"]), timeout=5)
check("chat answers before it fails", next(stream) == b"a")
check("chat fails", code_of(lambda: next(stream)) == grpc.StatusCode.ABORTED)
stream = repeat(b"100000x10000", timeout=30)
next(stream)
stream.cancel()
check("stream cancelled", stream.code() == grpc.StatusCode.CANCELLED)

# Many threads over one connection.
wrong = []


def worker(number):
    for n in range(200):
        body = f"{number}/{n}".encode() * (1 + n % 50)
        if unary(body, timeout=20) != body:
            wrong.append(body)


threads = [threading.Thread(target=worker, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
check("threads", wrong == [])

# Keepalive within what the server allows; and what it does to those who overdo it.
polite = grpc.insecure_channel(address, options=[("grpc.keepalive_time_ms", 6_000)])
check("polite", polite.unary_unary("/test.Echo/Unary")(b"x", timeout=5) == b"x")
check("still there", unary(b"z", timeout=5) == b"z")

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
