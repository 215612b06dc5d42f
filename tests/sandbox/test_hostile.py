"""What a stranger's code tries, and how far it gets, under each lock that this machine has."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sandbox_models import PROBE, PROBE_PARAMS

import hub
from hub import sandbox
from hub.sandbox import Mechanism, seccomp

REFUSED = ("PermissionError", "FileNotFoundError", "NotADirectoryError", "OSError 30", "EPERM")
Ask = Callable[[str], str]


@pytest.fixture(scope="module")
def probe(mechanism: Mechanism, tmp_path_factory: pytest.TempPathFactory) -> Iterator[hub.Model]:
    """One child for all questions under one lock."""
    from tiny_models import write_model

    folder = tmp_path_factory.mktemp("shelf") / "snapshots" / "models--eve--model" / "snapshot"
    write_model(folder, code=PROBE, params=PROBE_PARAMS)
    patch = pytest.MonkeyPatch()
    patch.setattr(sandbox, "available", lambda: mechanism)
    patch.setenv("HF_TOKEN", "hf_canary")
    try:
        yield sandbox.start(folder, hub.read_card(folder))
    finally:
        patch.undo()
        sandbox.shutdown()


@pytest.fixture
def tell(probe: hub.Model, ask: Callable[[hub.Model, str], str]) -> Ask:
    return lambda code: ask(probe, code)


def test_the_probe_itself_works(tell: Ask) -> None:
    """Otherwise every refusal below would be one of the test's own making."""
    assert tell("result = 6 * 7") == "42"
    assert tell("1 / 0").startswith("ZeroDivisionError")
    assert tell("open('/nowhere')").startswith(("FileNotFoundError", "PermissionError"))


# --- the user's secrets ---------------------------------------------------------------------------


def test_the_environment_is_empty(tell: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    assert tell("result = sorted(os.environ)") == "['HOME', 'TEMP', 'TMP', 'TMPDIR']"
    assert "scorehub-sandbox-" in tell("result = os.environ['HOME']")
    assert tell("result = open('/proc/self/environ').read()").startswith(REFUSED)
    assert tell("result = open('/proc/1/environ').read()").startswith(REFUSED)


@pytest.mark.parametrize("name", ["environ", "cmdline", "maps", "mem", "fd", "fd/0", "root/etc"])
def test_the_hub_cannot_be_seen(tell: Ask, name: str) -> None:
    for pid in (str(os.getpid()), str(os.getppid())):
        path = f"/proc/{pid}/{name}"
        assert tell(f"result = open('{path}', 'rb').read(9)").startswith(
            (*REFUSED, "IsADirectoryError")
        )
        assert tell(f"result = os.listdir('{path}')").startswith(REFUSED)


def test_no_other_process_can_be_seen(tell: Ask) -> None:
    assert tell("result = os.listdir('/proc')").startswith(REFUSED)
    for path in ("/proc/1/environ", "/proc/net/tcp", "/proc/self/net/tcp", "/proc/self/mounts"):
        assert tell(f"result = open('{path}').read()").startswith(REFUSED)


def test_no_file_of_the_user_can_be_read(tell: Ask, tmp_path: Path) -> None:
    beside = tmp_path / "secret.txt"
    at_home = Path.home() / f".scorehub-canary-{secrets.token_hex(8)}"
    try:
        for path in (beside, at_home):
            path.write_text("secret")
            assert tell(f"result = open({str(path)!r}).read()").startswith(REFUSED)
            assert tell(f"result = os.open({str(path)!r}, os.O_RDWR)").startswith(REFUSED)
    finally:
        at_home.unlink()


@pytest.mark.parametrize(
    "path", ["/", "/etc", "/tmp", "/home", "/root", "/work", "/var", "/proc/1"]
)
def test_no_other_folder_can_be_listed(tell: Ask, path: str) -> None:
    assert tell(f"result = os.listdir({path!r})").startswith(REFUSED)


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/hostname", "/etc/resolv.conf", "/dev/sda"])
def test_the_machine_is_not_described(tell: Ask, path: str) -> None:
    assert tell(f"result = open({path!r}, 'rb').read(9)").startswith(REFUSED)


def test_its_own_folder_can_be_read_and_not_its_neighbours(tell: Ask, probe: hub.Model) -> None:
    assert probe.folder is not None
    neighbour = probe.folder.parent / "other"
    neighbour.mkdir(exist_ok=True)
    (neighbour / "README.md").write_text("another model")
    folder = str(probe.folder)
    assert "README.md" in tell(f"result = sorted(os.listdir({folder!r}))")
    assert tell(f"result = os.listdir({str(neighbour)!r})").startswith(REFUSED)
    assert tell(f"result = open({folder!r} + '/../other/README.md').read()").startswith(REFUSED)


def test_a_symlink_in_its_folder_leads_nowhere(tell: Ask, probe: hub.Model, tmp_path: Path) -> None:
    assert probe.folder is not None
    (tmp_path / "secret").write_text("secret")
    link = probe.folder / "link"
    link.symlink_to(tmp_path / "secret")
    try:
        assert tell(f"result = open({str(link)!r}).read()").startswith(REFUSED)
    finally:
        link.unlink()


def test_no_descriptor_of_the_hub_is_open(tell: Ask, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        code = """
import stat
result = []
for number in range(256):
    try: mode = os.fstat(number).st_mode
    except OSError: continue
    result.append("pipe" if stat.S_ISFIFO(mode) else "null" if stat.S_ISCHR(mode) else "?")
"""
        assert tell(code) == "['null', 'null', 'null', 'pipe', 'pipe']"


# --- the network ----------------------------------------------------------------------------------


def test_no_server_can_be_reached(tell: Ask, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = server.getsockname()
        code = f"socket.create_connection({address!r}, 1).send(b'x'); result = 'sent'"
        assert tell(code).startswith(REFUSED)
        with pytest.raises(TimeoutError):
            server.accept()


def test_no_local_server_can_be_reached(tell: Ask, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        code = f"s = socket.socket(socket.AF_UNIX); s.connect({path!r}); result = 'connected'"
        assert tell(code).startswith("PermissionError")


@pytest.mark.parametrize("family", ["INET", "INET6", "UNIX", "NETLINK", "PACKET", "VSOCK", "ALG"])
@pytest.mark.parametrize("kind", ["STREAM", "DGRAM", "RAW", "SEQPACKET"])
def test_there_is_no_socket_of_any_kind(tell: Ask, family: str, kind: str) -> None:
    code = f"result = socket.socket(socket.AF_{family}, socket.SOCK_{kind})"
    assert tell(code) == "PermissionError 1"


def test_not_even_a_pair_or_a_name(tell: Ask) -> None:
    assert tell("result = socket.socketpair()") == "PermissionError 1"
    assert tell("result = socket.getaddrinfo('example.org', 80)").startswith("gaierror")


# --- other processes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "result = os.fork()",
        "result = os.forkpty()",
        "result = subprocess.run(['/bin/true'])",
        "result = subprocess.run([sys.executable, '-c', '0'])",
        "result = os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv(sys.executable, ['python'])",
        "result = os.pidfd_open(os.getppid() or 1)",
        "result = os.kill(os.getppid(), 0)",
        "result = os.kill(-1, 0)",
        "result = os.killpg(0, 0)",
        "result = os.kill({hub}, 9)",
        "result = os.setpriority(os.PRIO_USER, 0, 19)",
        "result = os.sched_setaffinity({hub}, [0])",
        "import resource; result = resource.prlimit({hub}, resource.RLIMIT_CORE)",
        "fcntl.fcntl(0, fcntl.F_SETOWN, {hub}); result = 'done'",
        "fcntl.fcntl(0, fcntl.F_SETSIG, 9); result = 'done'",
        "os.setuid(0); result = 'done'",
        "os.chroot('/'); result = 'done'",
        "os.setsid(); result = 'done'",
        "os.memfd_create('x'); result = 'done'",
    ],
)
def test_no_process_can_be_begun_or_touched(tell: Ask, code: str) -> None:
    words = tell(code.replace("{hub}", str(os.getpid())))
    assert words.startswith(("PermissionError", "FileNotFoundError"))  # the latter: no /dev/ptmx


def test_a_shell_does_not_start(tell: Ask) -> None:
    assert tell("result = os.system('true')") in ("-1", "32512")


# x86_64 and aarch64 numbers
CALLS = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "keyctl": (250, 219), "add_key": (248, 217), "bpf": (321, 280), "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282), "mount": (165, 40), "umount2": (166, 39), "unshare": (272, 97),
    "setns": (308, 268), "perf_event_open": (298, 241), "fsopen": (430, 430),
    "pidfd_getfd": (438, 438), "kcmp": (312, 272), "shmget": (29, 194), "msgget": (68, 186),
    "init_module": (175, 105), "kexec_load": (246, 104), "reboot": (169, 142),
    "personality": (135, 92), "rt_sigqueueinfo": (129, 138), "tkill": (200, 130),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "truncate": (76, 45), "mknodat": (259, 33), "mkdirat": (258, 34), "symlinkat": (266, 36),
    "linkat": (265, 37), "fchmodat": (268, 53), "fchownat": (260, 54), "utimensat": (280, 88),
    "setxattr": (188, 5), "flock": (73, 32),
    "mincore": (27, 232), "inotify_init1": (294, 26), "socket": (41, 198),
    "socketpair": (53, 199), "connect": (42, 203),
    "sendmsg": (46, 211), "execve": (59, 221), "seccomp": (317, 277), "capset": (126, 91),
    "sched_setscheduler": (144, 119), "iopl": (172, 9999), "landlock_create_ruleset": (444, 444),
    "a call of the future": (999, 999),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_system_call_that_no_model_needs_is_refused(tell: Ask, name: str) -> None:
    here = seccomp.machine()
    assert here is not None
    number = CALLS[name][here.column]
    assert tell(f"result = call({number}, 0, 0, 0, 0, 0, 0)") == "'EPERM'"


def test_no_new_process_by_any_number(tell: Ask) -> None:
    here = seccomp.machine()
    assert here is not None
    clone = seccomp.CLONE["clone"][here.column]
    assert tell(f"result = call({clone}, 17, 0, 0, 0, 0)") == "'EPERM'"  # SIGCHLD: a fork
    flags = seccomp.THREAD_FLAGS | 0x40000000  # a thread with its own network
    assert tell(f"result = call({clone}, {flags}, 0, 0, 0, 0)") == "'EPERM'"
    assert tell("result = call(435, bytes(88), 88)") == "'ENOSYS'"  # clone3


# --- files ----------------------------------------------------------------------------------------


def test_nothing_can_be_written_elsewhere(tell: Ask, probe: hub.Model, tmp_path: Path) -> None:
    home = str(Path.home())
    places = [str(probe.folder), home, "/tmp", "/dev/shm", "/var/tmp", str(tmp_path), "/", "."]
    outside = [f"{place}/x-canary" for place in places[:-1]] + ["../x-canary", "../canary"]
    for path in outside:
        assert tell(f"open({path!r}, 'w'); result = 'written'").startswith(REFUSED), path
    assert not [path for path in outside[:-2] if Path(path).exists()]


def test_its_own_code_cannot_be_changed(tell: Ask, probe: hub.Model) -> None:
    assert probe.folder is not None
    path = probe.folder / "model.py"
    before, times = path.read_bytes(), path.stat().st_mtime_ns
    for code in (
        f"open({str(path)!r}, 'a')",
        f"os.unlink({str(path)!r})",
        f"os.rename({str(path)!r}, {str(path)!r} + '2')",
        f"os.rename({str(path)!r}, 'mine')",
        f"os.open({str(path)!r}, os.O_RDONLY | os.O_TRUNC)",
        f"os.truncate({str(path)!r}, 0)",
        f"os.chmod({str(path)!r}, 0o777)",
        f"os.utime({str(path)!r})",
        f"os.link({str(path)!r}, 'mine')",
    ):
        assert tell(code).startswith((*REFUSED, "OSError 18")), code
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, times)


def test_its_temporary_folder_is_flat(tell: Ask) -> None:
    assert tell("open('a', 'w').write('x'); result = open('a').read()") == "'x'"
    code = "import tempfile; f = tempfile.NamedTemporaryFile('w+'); f.write('y'); result = 'ok'"
    assert tell(code) == "'ok'"
    for code in ("os.mkdir('d')", "os.symlink('/etc', 'l')", "os.mkfifo('f')", "os.link('a', 'b')"):
        assert tell(code) == "PermissionError 1"
    assert tell("os.unlink('a'); result = os.listdir('.')") == "[]"


def test_a_file_has_a_largest_size(tell: Ask) -> None:
    code = "f = open('big', 'wb'); f.seek(64 << 20); f.write(b'x'); f.flush()"
    assert tell(code) == "OSError 27"
    assert tell("os.unlink('big'); result = 'ok'") == "'ok'"


def test_the_same_file_system_cannot_be_left(tell: Ask) -> None:
    """Paths that a kernel resolves by itself, and descriptors instead of paths."""
    for path in (f"/proc/self/{way}" for way in ("root/etc/passwd", "cwd/../canary", "exe/x")):
        assert tell(f"result = open({path!r}).read()").startswith(REFUSED)
    code = "d = os.open('/', os.O_PATH); result = os.open('etc/passwd', os.O_RDONLY, dir_fd=d)"
    assert tell(code).startswith(REFUSED)
    assert tell("os.chdir('/'); result = os.listdir('.')").startswith(REFUSED)
    assert tell("os.chdir(os.environ['HOME']); result = os.listdir('.')") == "[]"


# --- what an honest model needs -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("t = threading.Thread(target=print); t.start(); t.join(); result = 'ok'", "'ok'"),
        ("import numpy; result = int((numpy.ones((99, 99)) @ numpy.ones(99)).sum())", "9801"),
        ("print('to nobody'); sys.stderr.write('x'); result = input", "<built-in"),
        ("import random, uuid; result = len(os.urandom(8)), uuid.uuid4().version", "(8, 4"),
        ("result = os.getpid() > 0 and os.cpu_count() > 0 and time.time() > 0", "True"),
        ("import locale, encodings.idna, zoneinfo; result = 'é'.encode().decode()", "'é'"),
        ("from concurrent.futures import ThreadPoolExecutor as P; "
         "result = sum(P(8).map(abs, range(9)))", "36"),
        ("signal.signal(signal.SIGUSR1, lambda *_: None); os.kill(os.getpid(), signal.SIGUSR1); "
         "result = 'ok'", "'ok'"),
    ],
)  # fmt: skip
def test_what_a_model_needs_works(tell: Ask, code: str, words: str) -> None:
    if "SIGUSR1" in code:  # only the main thread may set handlers, and the model runs there
        assert "MainThread" in tell("result = threading.current_thread().name")
    assert tell(code).startswith(words)


def test_there_are_no_privileges(tell: Ask) -> None:
    code = """
lines = [line.split() for line in open('/proc/self/status')]
status = {line[0]: line[1] for line in lines if len(line) > 1}
result = [status[name + ':'] for name in ('CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp')]
"""
    none = "0" * 16
    assert tell(code) == repr([none, none, none, "1", "2"])


def test_the_hub_is_still_here(tell: Ask) -> None:
    assert threading.main_thread().is_alive()
    assert tell("result = 'and so is the model'") == "'and so is the model'"
