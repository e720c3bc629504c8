/**
 * Runs as an image builder of the agent, in the directory of the source. `$1` is the Dockerfile, names of build arguments
 * follow; their values are in the environment. What is kept between builds lies below /images, what comes out in /output.
 *
 * `chroot` isolation, because all namespaces and limits that a build needs are around it already. It uses no OCI runtime, but
 * podman wants to find one. Builds share a lock;
 * whoever has it alone clears away what killed builds left, and layers that no image needs any more.
 */
export const buildScript = `
file=$1; shift
export HOME=/tmp/home XDG_RUNTIME_DIR=/run CONTAINERS_REGISTRIES_CONF=/tmp/registries.conf
mkdir -p "$HOME/.config/containers" /images/store/loaded
printf %s "$REGISTRIES" >"$CONTAINERS_REGISTRIES_CONF"
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$HOME/.config/containers/policy.json"
store() { podman --root /images/store/storage --runroot /run/containers --runtime /bin/true --cgroup-manager cgroupfs --events-backend none "$@"; }

exec 9>/images/store/lock
if flock -n -x 9; then
  left=$(store ps --all --external --quiet)
  [ -z "$left" ] || store rm --force $left >/dev/null || echo "what an earlier build left could not be removed"
  store image prune --force --filter until=168h >/dev/null || echo "old layers could not be removed"
fi
flock -s 9

for archive in /images/archives/*; do
  [ -f "$archive" ] || continue
  mark=/images/store/loaded/$(stat -c '%i-%s-%Y' "$archive")
  [ -e "$mark" ] && continue
  echo "loading $(basename "$archive")"
  store load --quiet --input "$archive"
  : >"$mark"
done

for name; do set -- "$@" --build-arg "$name"; shift; done
rm -rf /output/rootfs
store build --isolation chroot --network host --layers --force-rm --identity-label=false --file "$file" \\
  --iidfile /tmp/image --output type=local,dest=/output/rootfs "$@" .
store image inspect --format '{{json .Config}}' "$(cat /tmp/image)" >/output/config.json
`
