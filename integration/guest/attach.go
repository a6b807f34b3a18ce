//go:build linux

package guest

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Drive is a device that the guest's kernel has found behind an iSCSI target.
type Drive struct {
	SR string // block device, as /dev/sr0
	SG string // SCSI generic device, as /dev/sg0

	iqn, portal string
}

// replacement is how many seconds the kernel keeps commands for a session that
// was cut, before it fails them. The usual two minutes would make tests slow.
const replacement = 5

// loginTime bounds a login or a logout, which take a second.
const loginTime = 5 * time.Minute

// prelude has what scripts around iSCSI share. iscsid is started once. It asks
// for no signs of life: a session that ends does so with its connection, and an
// emulated processor may be late.
var prelude = fmt.Sprintf(`set -e
if ! [ -e /run/burnfs-iscsid ]; then
	mkdir -p /etc/iscsi
	rm -rf /etc/iscsi/nodes /etc/iscsi/send_targets
	echo InitiatorName=iqn.2000-01.burnfs:guest >/etc/iscsi/initiatorname.iscsi
	cat >/etc/iscsi/iscsid.conf <<-END
		node.startup = manual
		node.session.timeo.replacement_timeout = %d
		node.conn[0].timeo.noop_out_interval = 0
		node.conn[0].timeo.noop_out_timeout = 0
		node.session.scan = auto
	END
	iscsid </dev/null >/dev/null 2>&1
	touch /run/burnfs-iscsid
fi
# devices IQN: prints the block and the generic device behind a target.
devices() {
	for session in /sys/class/iscsi_session/session*; do
		[ "$(cat $session/targetname 2>/dev/null)" = "$1" ] || continue
		dir=$(readlink -f $session/device)
		sr=$(find $dir/target* -path '*/block/sr*' -name 'sr*' -print -quit 2>/dev/null)
		[ "$sr" ] || continue
		sg=$(ls $sr/../../scsi_generic 2>/dev/null)
		[ "$sg" ] || continue
		[ -b /dev/${sr##*/} ] && [ -c /dev/$sg ] || continue
		echo /dev/${sr##*/} /dev/$sg
		return
	done
	return 1
}
await() {
	for i in {1..1200}; do
		devices "$1" && return
		sleep 0.1
	done
	echo "no optical drive appeared behind $1" >&2
	return 1
}
`, replacement)

// Attach logs in to an iSCSI target that listens on the host's 127.0.0.1 and
// returns the optical drive behind it. The session is kept up by iscsid: when
// it is cut, the kernel holds commands back for five seconds, fails those that
// come later, and goes on when the target is there again.
func (g *Guest) Attach(ctx context.Context, port int, iqn string) (Drive, error) {
	return g.AttachAt(ctx, fmt.Sprintf("%s:%d", HostAddress, port), iqn)
}

// AttachAt is Attach for a target that listens elsewhere, as in the guest
// itself. portal is an IPv4 address and a port.
func (g *Guest) AttachAt(ctx context.Context, portal, iqn string) (Drive, error) {
	d := Drive{iqn: iqn, portal: portal}
	out, err := g.admin(ctx, fmt.Sprintf(`
iscsiadm -m node -o new -T '%[1]s' -p %[2]s >/dev/null
iscsiadm -m node -T '%[1]s' -p %[2]s --login >/dev/null
await '%[1]s'`, d.iqn, d.portal))
	if err != nil {
		return Drive{}, fmt.Errorf("attach %s of %s: %w", iqn, d.portal, err)
	}
	return d, d.parse(out)
}

// Detach logs out; the device is gone then. To detach a drive twice is no
// error.
func (g *Guest) Detach(ctx context.Context, d Drive) error {
	_, err := g.admin(ctx, fmt.Sprintf(`
record='-m node -T %s -p %s'
iscsiadm $record >/dev/null 2>&1 || exit 0
if iscsiadm -m session 2>/dev/null | grep -qF ' %[1]s '; then
	iscsiadm $record --logout >/dev/null
fi
iscsiadm $record -o delete`, d.iqn, d.portal))
	if err != nil {
		return fmt.Errorf("detach %s: %w", d.SR, err)
	}
	return nil
}

// Reconnect makes the guest log in again to all targets that were away. iscsid loses
// heart when a target cuts connections right after accepting them, as one that is away
// does here; a new one takes over its sessions, which are the kernel's. The old one is
// not asked to go, which it may take minutes for.
func (g *Guest) Reconnect(ctx context.Context) error {
	_, err := g.admin(ctx, `
pkill -KILL -x iscsid || true
while pgrep -x iscsid >/dev/null; do sleep 0.1; done
iscsid </dev/null >/dev/null 2>&1`)
	if err != nil {
		return fmt.Errorf("log in again: %w", err)
	}
	return nil
}

// Reprobe makes the kernel forget what it knows about the medium, as after a
// reboot: sr asks for the capacity and the last session only when it sees that
// the medium has changed. The names of the devices may change.
func (g *Guest) Reprobe(ctx context.Context, d Drive) (Drive, error) {
	out, err := g.admin(ctx, d.ProbeScript()+"\nawait '"+d.iqn+"'")
	if err != nil {
		return Drive{}, fmt.Errorf("probe %s again: %w", d.SR, err)
	}
	return d, d.parse(out)
}

// ProbeScript is what Reprobe runs, for scripts that do it between other
// things. The devices come back with the same names if nobody has them open.
func (d Drive) ProbeScript() string {
	return fmt.Sprintf(`
device=/sys/block/%s/device
host=$(readlink -f $device | grep -o '/host[0-9]*/' | tail -n 1 | tr -d /)
echo 1 >$device/delete
echo '- - -' >/sys/class/scsi_host/$host/scan
for i in {1..1200}; do
	[ -b %[2]s -a -c %[3]s ] && break
	sleep 0.1
done`, strings.TrimPrefix(d.SR, "/dev/"), d.SR, d.SG)
}

// parse takes what the function devices of the prelude prints.
func (d *Drive) parse(out string) error {
	fields := strings.Fields(out)
	if len(fields) != 2 {
		return fmt.Errorf("two devices expected, the guest says %q", out)
	}
	d.SR, d.SG = fields[0], fields[1]
	return nil
}

// admin runs a script behind the prelude, which must succeed.
func (g *Guest) admin(ctx context.Context, script string) (string, error) {
	r, err := g.Run(ctx, prelude+script, loginTime)
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, r.Output)
	}
	if r.Code != 0 {
		return "", fmt.Errorf("exit status %d: %s", r.Code, r.Output)
	}
	return r.Output, nil
}
