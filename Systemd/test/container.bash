# shellcheck shell=bash
# A real systemd as PID 1 of a container: systemd-nspawn on an overlay of this machine's own root. Whatever is installed
# here is there too; nothing that happens inside comes back, except in the data folder, which is a folder of this
# machine's disk: fsync on a tmpfs would prove nothing.
#
# Usage: source, then container_requirements, container_prepare, container_boot, inside…, container_remove.

container_name=roost-boot-$$
container_work=          # tmpfs: the overlay's upper layer and the console's log
container_root=          # where the overlay is mounted
container_data=          # on disk; /var/lib/roost inside
container_cgroups=()     # folders made for the container, one per hierarchy
container_nspawn=        # pid of systemd-nspawn
container_leader=        # pid of the container's PID 1

# Says why this machine cannot do it; silent if it can.
container_requirements() {
    local command
    [ "$(id -u)" -eq 0 ] || { echo "needs root"; return; }
    for command in systemd-nspawn nsenter setsid pgrep runuser; do
        command -v "$command" >/dev/null \
            || { echo "$command is not installed (apt-get install systemd-container util-linux procps)"; return; }
    done
    [ -x /sbin/init ] || { echo "/sbin/init is not installed (apt-get install systemd-sysv)"; return; }
    unshare --mount --pid --fork true 2>/dev/null || { echo "namespaces are refused"; return; }
    local probe
    probe=$(mktemp -d)
    if ! mount -t tmpfs tmpfs "$probe" 2>/dev/null; then
        echo "mount is refused"
    else
        mkdir "$probe/upper" "$probe/work" "$probe/root"
        if mount -t overlay overlay -o "lowerdir=/,upperdir=$probe/upper,workdir=$probe/work" "$probe/root" 2>/dev/null
        then
            umount "$probe/root"
        else
            echo "overlay mounts are refused"
        fi
        umount "$probe"
    fi
    rmdir "$probe"
    for probe in $(container_hierarchies); do
        if mkdir "$probe/$container_name" 2>/dev/null; then
            rmdir "$probe/$container_name"
        else
            echo "cgroups are read-only: $probe"
        fi
    done
}

# The cgroup hierarchies that systemd-nspawn keeps a container's processes in.
container_hierarchies() {
    if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
        echo /sys/fs/cgroup
    else
        local folder
        for folder in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
            [ ! -d "$folder" ] || echo "$folder"
        done
    fi
}

# Mounts the root and cleans it of this machine's own services. Install into $container_root, then boot.
container_prepare() {
    container_work=$(mktemp -d /var/tmp/roost-boot.XXXXXX)
    container_data=$(mktemp -d /var/tmp/roost-boot-data.XXXXXX)
    mount -t tmpfs tmpfs "$container_work"
    container_root=$container_work/root
    mkdir "$container_work/upper" "$container_work/work" "$container_root"
    mount -t overlay overlay \
        -o "lowerdir=/,upperdir=$container_work/upper,workdir=$container_work/work" "$container_root"
    rm -rf "$container_root"/etc/systemd/system/*.wants "$container_root"/etc/systemd/system/roost* \
        "$container_root"/run/* "$container_root"/etc/roost "$container_root"/etc/default/roost* \
        "$container_root"/var/log/journal
    : >"$container_root/etc/machine-id"
    mkdir -p "$container_root/var/lib/roost"
}

# Boots and waits until systemd says that it is done.
container_boot() {
    local hierarchy
    for hierarchy in $(container_hierarchies); do
        mkdir "$hierarchy/$container_name"
        container_cgroups+=("$hierarchy/$container_name")
    done
    (
        for folder in "${container_cgroups[@]}"; do echo "$BASHPID" >"$folder/cgroup.procs"; done
        # No machined and no systemd on this side to register with. A network of its own: fixed ports clash with
        # nobody. CAP_IPC_LOCK: nspawn refuses mlock without it.
        exec setsid systemd-nspawn --quiet --register=no --keep-unit --console=passive --machine="$container_name" \
            --private-network --capability=CAP_IPC_LOCK --bind="$container_data:/var/lib/roost" \
            --directory="$container_root" --boot </dev/null >"$container_work/console.log" 2>&1
    ) &
    container_nspawn=$!
    local state=
    for _ in $(seq 150); do
        sleep 0.2
        kill -0 "$container_nspawn" 2>/dev/null || break
        container_leader=$(pgrep -P "$container_nspawn" | head -n 1 || true)
        [ -n "$container_leader" ] || continue
        state=$(inside systemctl is-system-running 2>/dev/null || true)
        case $state in running | degraded) return 0 ;; esac
    done
    echo "systemd did not come up (state '${state:-none}'); the end of its console:" >&2
    tail -n 20 "$container_work/console.log" >&2
    return 1
}

# Runs a command inside, as root, with nothing of this machine's environment.
inside() {
    nsenter --target "$container_leader" --mount --uts --ipc --net --pid --cgroup -- \
        /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
}

# Powers the container off and removes every trace of it: processes by their pid, mounts, cgroups, folders.
container_remove() {
    if [ -n "$container_leader" ] && kill -0 "$container_leader" 2>/dev/null; then
        kill -s RTMIN+4 "$container_leader" 2>/dev/null || true
        for _ in $(seq 100); do
            kill -0 "$container_leader" 2>/dev/null || break
            sleep 0.1
        done
        # PID 1 of a namespace takes everything in it along. Killing nspawn alone would leave it behind.
        kill -9 "$container_leader" 2>/dev/null || true
    fi
    if [ -n "$container_nspawn" ]; then
        for _ in $(seq 50); do
            kill -0 "$container_nspawn" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$container_nspawn" 2>/dev/null || true
        wait "$container_nspawn" 2>/dev/null || true
    fi
    if [ -n "$container_root" ]; then umount --recursive "$container_root" 2>/dev/null || true; fi
    if [ -n "$container_work" ]; then
        umount "$container_work" 2>/dev/null || true
        rmdir "$container_work" 2>/dev/null || echo "left behind: $container_work" >&2
        rm -rf "$container_data"
    fi
    local folder
    for folder in "${container_cgroups[@]}"; do
        find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || echo "left behind: $folder" >&2
    done
}
