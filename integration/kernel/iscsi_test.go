//go:build linux && kernel

package kernel

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"burnfs/integration/guest"
	"burnfs/integration/iscsi"
	"burnfs/mmc"
	"burnfs/mmc/emu"
)

const emulatedIQN = "iqn.2024-01.burnfs:emulated"

// holding is a drive that holds the first READ(10) of a block back for a while.
type holding struct {
	mmc.Transport
	lba  uint32
	time time.Duration
	held atomic.Bool
}

func (h *holding) Execute(ctx context.Context, cmd *mmc.Command) error {
	lba, n, _ := mmc.BlockRange(cmd.CDB)
	if cmd.Opcode() == mmc.OpRead10 && h.lba-lba < n && h.held.CompareAndSwap(false, true) {
		time.Sleep(h.time) // longer than the kernel waits, whose clock is a real one
	}
	return h.Transport.Execute(ctx, cmd)
}

// attachEmulated presents a new disc in an emulated drive to the guest.
func attachEmulated(r *room, media emu.Media, wrap func(mmc.Transport) mmc.Transport) (*iscsi.Target, guest.Drive) {
	r.Helper()
	path := filepath.Join(r.dir, "disc")
	if err := emu.Create(path, media, emu.CreateOptions{}); err != nil {
		r.Fatal(err)
	}
	d, err := emu.Open(path, emu.Options{})
	if err != nil {
		r.Fatal(err)
	}
	target, err := iscsi.Listen("127.0.0.1:0", nil)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		if err := target.Close(); err != nil {
			r.Error(err)
		}
		if err := d.Close(); err != nil {
			r.Error(err)
		}
	})
	if err := target.Add(emulatedIQN, wrap(d)); err != nil {
		r.Fatal(err)
	}
	return target, r.attachAt(fmt.Sprintf("%s:%d", guest.HostAddress, target.Addr().(*net.TCPAddr).Port), emulatedIQN)
}

// readZeros is a script that reads a block that was never written from the drive
// itself.
func readZeros(d guest.Drive, lba int) string {
	return fmt.Sprintf("dd if=%s of=/tmp/block bs=2048 skip=%d count=1 iflag=direct status=none && cmp -n 2048 /tmp/block /dev/zero", d.SR, lba)
}

func plain(d mmc.Transport) mmc.Transport { return d }

// TestKernelKnowsTheDrive: sr finds everything that it asks a SCSI drive for.
func TestKernelKnowsTheDrive(t *testing.T) {
	r := enter(t)
	_, d := attachEmulated(r, emu.DVDRAM, plain)
	info := r.sh(quick, "cat /proc/sys/dev/cdrom/info")
	for _, can := range []string{"Can close tray", "Can open tray", "Can lock tray", "Can write CD-R", "Can write DVD-RAM", "Can write RAM"} {
		if i := strings.Index(info, can+":"); i < 0 || strings.TrimSpace(strings.SplitN(info[i+len(can)+1:], "\n", 2)[0]) != "1" {
			t.Errorf("%q is not 1 in\n%s", can, info)
		}
	}
	sys := r.sh(quick, "cd /sys/block/"+filepath.Base(d.SR)+"/device; cat type vendor model; od -An -c vpd_pg83; ls")
	for _, want := range []string{"5\nBURNFS", "EMULATED DRIVE", "vpd_pg80", "vpd_pg83"} {
		if !strings.Contains(sys, want) {
			t.Errorf("%q is not in\n%s", want, sys)
		}
	}
}

// TestKernelWrites: what the kernel writes itself, a DVD-RAM being a block device,
// is what it reads, in transfers of all sizes.
func TestKernelWrites(t *testing.T) {
	r := enter(t)
	_, d := attachEmulated(r, emu.DVDRAM, plain)
	r.sh(5*time.Minute, fmt.Sprintf(`
head -c 15M /dev/urandom >/tmp/data
dd if=/tmp/data of=%[1]s bs=1M oflag=direct status=none
dd if=/tmp/data of=%[1]s bs=30k seek=1000 conv=fsync status=none
echo 3 >/proc/sys/vm/drop_caches
dd if=%[1]s of=/tmp/back bs=1M count=15 iflag=direct status=none
cmp /tmp/back /tmp/data
dd if=%[1]s of=/tmp/back bs=30k skip=1000 count=512 status=none
cmp /tmp/back /tmp/data
rm /tmp/data /tmp/back`, d.SR))
}

// TestKernelAborts: a command that takes longer than the kernel waits is aborted
// and tried again, and the drive stays usable.
func TestKernelAborts(t *testing.T) {
	r := enter(t)
	var h *holding
	_, d := attachEmulated(r, emu.DVDRAM, func(d mmc.Transport) mmc.Transport {
		h = &holding{Transport: d, lba: 5000, time: 12 * time.Second}
		return h
	})
	r.sh(burnTime, fmt.Sprintf(`
echo 5 >/sys/block/%s/device/timeout
%s`, filepath.Base(d.SR), readZeros(d, 5000)))
	if !h.held.Load() {
		t.Error("the read was not held back")
	}
	if state := strings.TrimSpace(r.sh(quick, "cat /sys/block/"+filepath.Base(d.SR)+"/device/state")); state != "running" {
		t.Errorf("the drive is %s", state)
	}
}

// TestKernelLosesTheDrive: commands fail while the cable is pulled, none hangs, and
// the kernel finds the drive again.
func TestKernelLosesTheDrive(t *testing.T) {
	r := enter(t)
	target, d := attachEmulated(r, emu.DVDRAM, plain)
	read := readZeros(d, 4711)
	r.sh(quick, read)
	target.Drop()
	got, err := r.Run(t.Context(), "set -o pipefail; "+read, quick)
	if err != nil || got.Code == 0 {
		t.Errorf("without a cable a read ends with %d, %v: %s", got.Code, err, got.Output)
	}
	target.Restore()
	r.reconnect()
	r.sh(burnTime, fmt.Sprintf(`
for i in {1..2400}; do
	if %s 2>/dev/null; then exit 0; fi
	sleep 0.1
done
exit 1`, read))
}
