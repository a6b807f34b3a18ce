//go:build linux && kernel

package kernel

import (
	"fmt"
	"strings"
	"testing"

	"burnfs/integration/guest"
)

// tgtIQN is the name of the target that startTgt makes.
const tgtIQN = "iqn.2001-04.com.example:tgt"

// startTgt starts Debian's tgtd in the guest, with a blank DVD+R in a drive of
// its own making, and attaches that drive. Both are gone when the test ends.
func startTgt(r *room) guest.Drive {
	r.Helper()
	r.sh(quick, `
tgtimg --op new --device-type cd --type dvd+r --file /tmp/tgt.disc >/dev/null
mkdir -p /var/run/tgtd
tgtd -f --iscsi portal=127.0.0.1:3260 </dev/null >/tmp/tgt.log 2>&1 &
echo $! >/tmp/tgt.pid
for i in {1..1200}; do
	tgtadm --lld iscsi --mode sys --op show >/dev/null 2>&1 && break
	sleep 0.1
done
tgtadm --lld iscsi --mode target --op new --tid 1 -T `+tgtIQN+`
tgtadm --lld iscsi --mode logicalunit --op new --tid 1 --lun 1 --device-type cd -b /tmp/tgt.disc
tgtadm --lld iscsi --mode target --op bind --tid 1 -I ALL`)
	r.Cleanup(func() {
		// It does not heed SIGTERM while it has targets.
		r.cleanup("kill -9 $(cat /tmp/tgt.pid); rm -rf /var/run/tgtd /tmp/tgt.*")
	})
	return r.attachAt("127.0.0.1:3260", tgtIQN)
}

func TestAttach(t *testing.T) {
	r := enter(t)
	d := startTgt(r)
	if d.SR != "/dev/sr0" {
		t.Errorf("the only drive is %s", d.SR)
	}
	for _, dev := range []string{d.SR, d.SG} {
		if out := r.sh(quick, "wodim dev="+dev+" -prcap"); !strings.Contains(out, "VIRTUAL-CDROM") {
			t.Errorf("wodim on %s: %s", dev, out)
		}
	}
	again, err := r.Reprobe(t.Context(), d)
	if err != nil || again.SR == "" || again.SG == "" {
		t.Fatal(again, err)
	}
	r.sh(quick, fmt.Sprintf("test -b %s; test -c %s", again.SR, again.SG))
	if err := r.Detach(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	r.sh(quick, fmt.Sprintf("! test -e %s; ! test -e %s", again.SR, again.SG))
}
