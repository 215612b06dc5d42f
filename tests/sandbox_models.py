"""The code of models that nobody should trust."""

# Runs whatever Python it is sent, and reports `result`, or what was raised.
PROBE = '''
import ctypes, errno, fcntl, mmap, os, signal, socket, struct, subprocess, sys, threading, time
import hub
from hub.errors import AnswerError

libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    """A system call by its number: "EPERM", "ENOSYS", … or "done"."""
    arguments = [a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments]
    if libc.syscall(ctypes.c_long(number), *arguments) == -1:
        return errno.errorcode[ctypes.get_errno()]
    return "done"


class Tiny(hub.Model):
    def inpaint(self, score, region, params):
        if not params["code"]:
            return [hub.Note(start, 480, 60) for part in region.parts()
                    for start, end in region.spans(part)]
        names = dict(globals(), result=None, score=score, region=region, params=params)
        try:
            exec(params["code"], names)
        except Exception as error:
            raise AnswerError(f"{type(error).__name__} {getattr(error, 'errno', '')}")
        raise AnswerError(repr(names["result"]))
'''
PROBE_PARAMS = [{"name": "code", "type": "text"}]
