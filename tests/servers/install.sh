#!/usr/bin/env bash
# Installs what the tests against real servers need, on Debian, as root; does nothing where it is there already.
# snac2 and WordPress are unpacked into the cache folder and not installed: no service starts, nothing listens.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

# Under sudo: into the cache of the user who will run the tests.
home=${SUDO_USER:+$(getent passwd "$SUDO_USER" | cut -d: -f6)}
cache=${XDG_CACHE_HOME:-${home:-$HOME}/.cache}/citystudy-servers
system_packages=(mariadb-server-core php-cli php-mysql php-xml php-mbstring)
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

missing=()
for package in "${system_packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" = 0 ] && [ -d "$cache/snac2" ] && [ -d "$cache/wordpress" ]; then
    echo "servers: all there"
    exit
fi

if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "servers: needs Debian and root, to install ${missing[*]:-nothing} and unpack snac2 and wordpress" >&2
    exit 1
fi

${SUDO_USER:+runuser -u "$SUDO_USER" --} mkdir -p "$cache"
"${apt_get[@]}" update
failed=()
if [ "${#missing[@]}" != 0 ]; then
    "${apt_get[@]}" install -y --no-install-recommends "${missing[@]}" || failed+=("${missing[@]}")
fi
snac2 || failed+=(snac2)
wordpress || failed+=(wordpress)
rm -f "$cache"/*.deb
if [ "${#failed[@]}" != 0 ]; then
    echo "servers: could not be had: ${failed[*]}; the tests that need them will skip" >&2
    exit 1
fi
echo "servers: ready"
