# Shared by the scripts beside it; not a program of its own.
set -euo pipefail

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Everything that the started processes keep lies here, one folder each.
data=${AKKAFLOW_DATA:-$home/data}

case "${AKKAFLOW_LANG:-${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}}" in zh*) chinese=1 ;; *) chinese= ;; esac

# say CHINESE ENGLISH
say() { if [ -n "$chinese" ]; then printf '%s\n' "$1"; else printf '%s\n' "$2"; fi; }
fail() { say "$1" "$2" >&2; exit 1; }

is_root() { [ "$(id -u)" = 0 ]; }

# install_packages PACKAGE...: with the system's package manager, where that is allowed without a question.
install_packages() {
  local run=
  is_root || { command -v sudo >/dev/null && sudo -n true 2>/dev/null && run=sudo; } || return 1
  if command -v apt-get >/dev/null; then
    $run apt-get -o DPkg::Lock::Timeout=300 -qq update >&2 || true
    DEBIAN_FRONTEND=noninteractive $run apt-get -o DPkg::Lock::Timeout=300 -qq install -y "$@" >&2
  elif command -v dnf >/dev/null; then
    $run dnf -q install -y "$@" >&2
  else
    return 1
  fi
}

need_compiler() {
  command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null || {
    say '缺少C编译器，正在安装gcc ...' 'no C compiler; installing gcc ...'
    install_packages gcc libc6-dev || fail '请先安装C编译器，例如: apt-get install gcc libc6-dev' \
      'install a C compiler first, for example: apt-get install gcc libc6-dev'
  }
}

need_rust() {
  command -v cargo >/dev/null || { [ -x "$HOME/.cargo/bin/cargo" ] && PATH="$HOME/.cargo/bin:$PATH"; } || true
  command -v cargo >/dev/null || fail '缺少Rust工具链（1.95以上），请按 https://rustup.rs 安装后重试' \
    'no Rust toolchain (1.95 or newer); install it from https://rustup.rs and try again'
}

# need_programs NAME...: sets $bin to the folder of the programs; builds those named when one of them is absent or older than the
# sources: one machine alone does not wait for those of a cluster.
need_programs() {
  local name
  if [ -n "${AKKAFLOW_BIN:-}" ]; then
    bin=$AKKAFLOW_BIN
    for name; do
      [ -x "$bin/$name" ] || fail "AKKAFLOW_BIN=$bin 中没有程序 $name" "AKKAFLOW_BIN=$bin holds no program $name"
    done
    return
  fi
  if [ -x "$home/bin/akkaflow-standalone" ]; then bin=$home/bin; return; fi
  bin=${CARGO_TARGET_DIR:-$home/target}/release
  local wanted=() stale=
  for name; do
    is_built "$name" || stale=yes
    wanted+=(--bin "$name")
  done
  [ -n "$stale" ] || return 0
  need_compiler
  need_rust
  say '正在编译（首次约需数分钟）...' 'building (a few minutes the first time) ...' >&2
  local begun; begun=$(mktemp)
  (cd "$home" && cargo build --release --locked -p akkaflow-server -p akkaflow-cli "${wanted[@]}" >&2) || fail '编译失败，原因见上' 'the build failed, see above'
  for name; do
    printf '%s' "$home" > "$bin/.built-$name"
    touch -r "$begun" "$bin/.built-$name"
  done
  rm -f "$begun"
}

cluster_programs=(akka akkaflow-master akkaflow-master-standby akkaflow-worker akkaflow-http-server)

# is_built NAME: whether the program was built from these sources as they are.
is_built() {
  local stamp=$bin/.built-$1
  [ -x "$bin/$1" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$home" ] &&
    [ -z "$(find "$home/crates" "$home/proto" "$home/migrations" "$home/Cargo.toml" "$home/Cargo.lock" -newer "$stamp" -type f -print -quit)" ]
}

# is_running ROLE: whether the process that ROLE's pid file names is one of ours and alive. Sets $pid.
is_running() {
  pid=$(cat "$data/$1/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -q akkaflow-
}

# running_server: sets $server to the address of the http-server that was started from here, the cluster's before the quickstart's.
running_server() {
  local role
  for role in httpserver standalone quickstart/standalone; do
    is_running "$role" || continue
    server=$(sed -n 's/^ready \(http.*\)/\1/p' "$data/$role/out" 2>/dev/null | head -n 1)
    [ -z "$server" ] || return 0
  done
  return 1
}

# find_links ROLE: sets $links to the arguments that name the db-links: one file for every master that is started here, so that a
# standby that takes over knows the same links. Empty where the configuration names the file itself.
find_links() {
  local file=$data/config/db_links.xml old=$data/$1/config/db_links.xml
  # Where the links lay before there was one place for them; a standby's own file never held any that its master did not know.
  [ "$1" != standby ] || old=$data/master/config/db_links.xml
  links=()
  if [ -n "${AKKAFLOW_LINKS:-}" ]; then
    # The program would look for a relative path in its data directory.
    case "$AKKAFLOW_LINKS" in /*) file=$AKKAFLOW_LINKS ;; *) file=$PWD/$AKKAFLOW_LINKS ;; esac
  elif [ -n "${AKKAFLOW_MASTER_LINKS:-}" ] || grep -Eqs '^[[:space:]]*(master\.)?links[[:space:]]*=' "${AKKAFLOW_CONFIG:-$data/akkaflow.toml}"; then
    return
  elif [ ! -e "$file" ] && [ -f "$old" ]; then
    file=$old
    say "数据库连接: $file（旧位置，仍然有效；建议移到 $data/config，供所有master共用）" \
      "db-links: $file (the old place, still in force; better move it to $data/config, which all masters share)"
  else
    mkdir -p "$data/config"
  fi
  links=(--links "$file")
}

# is_given OPTION ARGUMENT...: whether the arguments name the option; what people say goes before what the scripts would.
is_given() {
  local option=$1 argument; shift
  for argument; do case "$argument" in "$option" | "$option="*) return 0 ;; esac; done
  return 1
}

# find_workflows ARGUMENT...: sets $workflows to the argument that names the watched folder, unless the arguments do.
find_workflows() {
  workflows=()
  is_given --workflows "$@" && return
  [ -n "${AKKAFLOW_WORKFLOWS:-}" ] || mkdir -p "$home/xmlconfig"
  workflows=(--workflows "${AKKAFLOW_WORKFLOWS:-$home/xmlconfig}")
}

# start_role ROLE PROGRAM ARGUMENTS...: in the background, its log in $data/ROLE/log; waits for its line "ready ...".
start_role() {
  local role=$1 program=$2; shift 2
  if is_running "$role"; then
    say "$role 已在运行 (pid $pid)" "$role is already running (pid $pid)"
    return
  fi
  mkdir -p "$data/$role"
  : > "$data/$role/out"
  local config=() links=() data_dir=()
  is_given --links "$@" || case "$role" in master | standby | standalone) find_links "$role" ;; esac
  is_given --config "$@" || { [ -f "${AKKAFLOW_CONFIG:-$data/akkaflow.toml}" ] && config=(--config "${AKKAFLOW_CONFIG:-$data/akkaflow.toml}"); } || true
  is_given --data-dir "$@" || data_dir=(--data-dir "$data/$role")
  nohup setsid "$bin/$program" "${config[@]}" "${data_dir[@]}" "${links[@]}" "$@" \
    > "$data/$role/out" 2>> "$data/$role/log" < /dev/null &
  pid=$!
  printf '%s\n' "$pid" > "$data/$role/pid"
  local waited=0
  until grep -q '^ready' "$data/$role/out"; do
    kill -0 "$pid" 2>/dev/null || { rm -f "$data/$role/pid"; tail -n 5 "$data/$role/log" >&2
      fail "$role 启动失败，日志: $data/$role/log" "$role did not start; its log: $data/$role/log"; }
    [ "$waited" -lt 600 ] || fail "$role 60秒内未就绪，日志: $data/$role/log" "$role is not ready after 60 s; its log: $data/$role/log"
    waited=$((waited + 1)); sleep 0.1
  done
  say "$role 已启动 (pid $pid)，$(grep -m1 '^ready' "$data/$role/out")；日志: $data/$role/log" \
    "$role started (pid $pid), $(grep -m1 '^ready' "$data/$role/out"); log: $data/$role/log"
}

# stop_role ROLE: in order, and by force after 30 s; comes back when it is gone. 1 when it was not running.
stop_role() {
  is_running "$1" || { rm -f "$data/$1/pid"; return 1; }
  local stopping=$pid waited=0
  kill -TERM "$stopping" 2>/dev/null || true
  # A process that has ended but was not waited for has no command line: it counts as gone.
  while is_running "$1" && [ "$pid" = "$stopping" ]; do
    [ "$waited" -ne 50 ] || say "等待 $1 (pid $stopping) 停止 ..." "waiting for $1 (pid $stopping) to stop ..."
    [ "$waited" -lt 300 ] || { kill -KILL "$stopping" 2>/dev/null || true; }
    waited=$((waited + 1)); sleep 0.1
  done
  rm -f "$data/$1/pid"
  say "$1 已停止 (pid $stopping)" "$1 stopped (pid $stopping)"
}
