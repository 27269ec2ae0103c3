#!/usr/bin/env bash
# A one-node Ceph with its S3 gateway on 127.0.0.1: the engine of DigitalOcean Spaces, for tests of the S3 adapter.
#
#   scripts/ceph-gateway.sh up DIR PORT    makes or restarts the node that lives in DIR, with S3 on PORT (and PORT+1, PORT+2
#                                          for its monitor), and prints the environment variables to export:
#                                          eval "$(scripts/ceph-gateway.sh up /tmp/ceph 17480)"
#   scripts/ceph-gateway.sh down DIR       stops it; what it stored stays in DIR
#
# Needs Debian or Ubuntu, and root, because Ceph's daemons expect it. Installs the distribution's packages when they are missing.
# One replica on one sparse file: fit for tests and nothing else.
set -euo pipefail

PACKAGES=(ceph-mon ceph-osd ceph-mgr radosgw ceph-common openssl curl)
COMMANDS=(ceph-mon ceph-osd ceph-mgr radosgw ceph radosgw-admin monmaptool openssl curl)
BUCKET=receipts

say() { echo "ceph-gateway: $*" >&2; }
fail() { say "$*"; exit 1; }
usage() { fail 'usage: ceph-gateway.sh up DIR PORT | ceph-gateway.sh down DIR'; }

# until_true SECONDS WHAT COMMAND...: tries COMMAND until it succeeds, and fails by name when it does not.
until_true() {
  local seconds=$1 what=$2; shift 2
  local deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "$what took longer than $seconds s; its log is in $DIR/log"
    sleep 0.2
  done
}

install_packages() {
  local command missing=
  for command in "${COMMANDS[@]}"; do command -v "$command" >/dev/null || missing+=" $command"; done
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || fail "missing:$missing; install ${PACKAGES[*]}"
  say "installing ${PACKAGES[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # The package lists may be old or absent; fetching them takes longer than the packages, so only when it must be.
  { apt-get install -y --no-install-recommends "${PACKAGES[@]}" ||
    { apt-get update && apt-get install -y --no-install-recommends "${PACKAGES[@]}"; }; } >&2
}

configure() {
  local monitor="[v2:127.0.0.1:$((PORT + 1)),v1:127.0.0.1:$((PORT + 2))]"
  mkdir -p "$DIR"/{mon,mgr,osd,run,log}
  chmod 700 "$DIR"
  cat >"$DIR/ceph.conf" <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = $monitor
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
keyring = $DIR/keyring
run dir = $DIR/run
admin socket = $DIR/run/\$name.asok
pid file = $DIR/run/\$name.pid
log file = $DIR/log/\$name.log
# One disk, one replica, few placement groups.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 2000
# The disk is shared with the rest of the machine; how full that is says nothing about us.
mon data avail warn = 1
mon data avail crit = 0
[mon]
mon data = $DIR/mon
[mgr]
mgr data = $DIR/mgr
[osd]
osd data = $DIR/osd
osd objectstore = bluestore
# A sparse file: what is not used is not taken.
bluestore block size = 10737418240
bluestore block create = true
bluestore block db size = 0
bluestore block wal size = 0
osd memory target = 1073741824
# Ordinary file systems cannot hold longer names in the daemons' own files.
osd max object name len = 256
osd max object namespace len = 64
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$PORT tcp_nodelay=1
rgw dns name = localhost
rgw enable usage log = false
CONF
}

make_keys() {
  ceph-authtool --create-keyring "$DIR/keyring" --gen-key -n mon. --cap mon 'allow *'
  ceph-authtool "$DIR/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  ceph-authtool "$DIR/keyring" --gen-key -n client.rgw --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  ceph-authtool "$DIR/keyring" --gen-key -n mgr.x --cap mon 'allow profile mgr' --cap osd 'allow *' --cap mds 'allow *'
  ceph-authtool "$DIR/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd'
}

make_node() {
  say "making a node in $DIR"
  configure
  make_keys >>"$DIR/log/setup.log" 2>&1
  local id; id=$(sed -n 's/^fsid = //p' "$DIR/ceph.conf")
  monmaptool --create --clobber --fsid "$id" --addv a "[v2:127.0.0.1:$((PORT + 1)),v1:127.0.0.1:$((PORT + 2))]" \
    "$DIR/monmap" >>"$DIR/log/setup.log"
  ceph-mon --mkfs -i a --monmap "$DIR/monmap" --keyring "$DIR/keyring" --setuser root --setgroup root >>"$DIR/log/setup.log" 2>&1
  start ceph-mon mon.a -i a
  local osd; osd=$(cat /proc/sys/kernel/random/uuid)
  timeout 60 ceph osd new "$osd" >>"$DIR/log/setup.log" 2>&1 || fail "the monitor did not answer; its log is in $DIR/log"
  ceph-osd -i 0 --mkfs --osd-uuid "$osd" --setuser root --setgroup root >>"$DIR/log/setup.log" 2>&1
  ceph osd crush add osd.0 1.0 root=default >>"$DIR/log/setup.log" 2>&1
}

# process_of NAME PROGRAM: the living process that wrote the pid file; pid files outlive reboots, and numbers are used again.
process_of() {
  local process; process=$(cat "$DIR/run/$1.pid" 2>/dev/null) || return 1
  [ "$(cat "/proc/$process/comm" 2>/dev/null)" = "$2" ] && echo "$process"
}

# start PROGRAM NAME ARGUMENTS...: as a daemon of its own, which must not hold on to our output.
start() {
  local program=$1 name=$2; shift 2
  process_of "$name" "$program" >/dev/null && return 0
  "$program" "$@" --setuser root --setgroup root >>"$DIR/log/$name.out" 2>&1 </dev/null ||
    fail "$program did not start; see $DIR/log/$name.out"
}

osd_is_up() { timeout 10 ceph osd stat | grep -q '1 up'; }
gateway_answers() { curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$PORT/"; }

# The first request makes the gateway's pools, so it may take a while.
make_user_and_bucket() {
  # shellcheck source=/dev/null
  . "$DIR/credentials"
  radosgw-admin user info --uid=ledger >/dev/null 2>&1 ||
    radosgw-admin user create --uid=ledger --display-name=ledger --access-key="$ACCESS_KEY" --secret-key="$SECRET_KEY" >/dev/null
  # Ceph demands this header, which curl's signature does not add; the value is the SHA-256 of nothing.
  curl -sS --fail -o /dev/null --max-time 60 -X PUT --aws-sigv4 aws:amz:us-east-1:s3 --config - "http://127.0.0.1:$PORT/$BUCKET" <<CURL
user = "$ACCESS_KEY:$SECRET_KEY"
header = "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
CURL
}

print_environment() {
  echo "export S3_TEST_URL='s3://$BUCKET?endpoint=http://127.0.0.1:$PORT'"
  echo "export S3_TEST_ACCESS_KEY_ID=$ACCESS_KEY"
  echo "export S3_TEST_SECRET_ACCESS_KEY=$SECRET_KEY"
}

up() {
  [ "$(id -u)" = 0 ] || fail 'must run as root'
  install_packages
  if [ -f "$DIR/complete" ]; then
    [ "$(cat "$DIR/complete")" = "$PORT" ] || fail "the node in $DIR has port $(cat "$DIR/complete")"
  else
    # What an interrupted run left is of no use to anybody; never touch a directory that is not a node of ours.
    if [ -d "$DIR" ] && [ -n "$(ls -A "$DIR")" ]; then
      [ -f "$DIR/ceph.conf" ] || fail "$DIR is not empty"
      down
      rm -rf "$DIR"
    fi
    make_node
    (umask 077 && printf 'ACCESS_KEY=%s\nSECRET_KEY=%s\n' "$(openssl rand -hex 10)" "$(openssl rand -hex 20)" >"$DIR/credentials")
  fi
  process_of client.rgw radosgw >/dev/null || ! gateway_answers || fail "something else listens on port $PORT"
  start ceph-mon mon.a -i a
  start ceph-mgr mgr.x -i x
  start ceph-osd osd.0 -i 0
  until_true 60 'the storage daemon' osd_is_up
  start radosgw client.rgw -n client.rgw
  until_true 90 'the gateway' gateway_answers
  make_user_and_bucket
  echo "$PORT" >"$DIR/complete"
  say "S3 at http://127.0.0.1:$PORT, bucket $BUCKET"
  print_environment
}

# stop NAME PROGRAM: asks, and insists after ten seconds.
stop() {
  local process; process=$(process_of "$1" "$2") || return 0
  kill "$process" 2>/dev/null || return 0
  for _ in $(seq 100); do kill -0 "$process" 2>/dev/null || return 0; sleep 0.1; done
  say "$2 did not stop when asked; killing it"
  kill -9 "$process" 2>/dev/null || true
}

down() {
  stop client.rgw radosgw
  stop osd.0 ceph-osd
  stop mgr.x ceph-mgr
  stop mon.a ceph-mon
}

[ $# -ge 2 ] || usage
DIR=$(realpath -m -- "$2")
export CEPH_CONF=$DIR/ceph.conf
case "$DIR" in *[[:space:]]*) fail 'Ceph takes no white space in its directory' ;; esac
# A Unix socket's path ends at 107 bytes.
[ ${#DIR} -le 70 ] || fail 'the directory needs a shorter path'
case "$1 $#" in
  'up 3') PORT=$3; [[ $PORT =~ ^[1-9][0-9]{3,4}$ ]] || usage; up ;;
  'down 2') down ;;
  *) usage ;;
esac
