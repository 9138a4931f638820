# Runs a script of Python with the packages that it needs: environment.py CACHE SCRIPT ARGUMENT...
# One environment for each set of packages and each interpreter; made by the first who needs it, while the others wait.
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

REQUIREMENTS = "akkaflow_requirements"


def fail(zh, en):
    chinese = (os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith("zh")
    sys.exit(zh if chinese else en)


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL)
    return done.returncode


def make(home, python):
    shutil.rmtree(home, ignore_errors=True)
    if run(sys.executable, "-m", "venv", home) != 0:
        shutil.rmtree(home, ignore_errors=True)
        fail("无法创建Python环境，请在worker上安装venv模块（例如 apt-get install python3-venv）",
             "cannot make an environment: install the module venv on the worker (for example apt-get install python3-venv)")
    code = run(python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-r", REQUIREMENTS)
    if code != 0:
        shutil.rmtree(home, ignore_errors=True)
        fail("无法安装<requirements>中的包，pip退出码%d，原因见上" % code,
             "cannot install the packages of <requirements>: pip ended with %d, see above" % code)


cache, script = sys.argv[1:3]
with open(REQUIREMENTS, "rb") as file:
    wanted = file.read()
key = hashlib.sha256(repr((sys.executable, sys.version)).encode() + b"\0" + wanted).hexdigest()[:32]
home = os.path.join(cache, key)
python = os.path.join(home, "bin", "python")
ready = os.path.join(home, "akkaflow-ready")
if not os.path.exists(ready):
    os.makedirs(cache, mode=0o700, exist_ok=True)
    with open(home + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(ready):
            make(home, python)
            open(ready, "w").close()
os.execv(python, [python, script] + sys.argv[3:])
