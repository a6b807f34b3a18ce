package session

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"burnfs/iso9660"
	"burnfs/mmc"
)

// leaving is a drive that is gone for one read.
type leaving struct {
	iso9660.BlockReader
	reads, gone int
}

func (l *leaving) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	l.reads++
	if l.reads == l.gone {
		return &mmc.TransportError{CDB: make([]byte, 10), Gone: true}
	}
	return l.BlockReader.ReadBlocks(ctx, lba, p)
}

// TestDriveGoneWhileBootImagesAreSought: what a drive that went away did not tell is
// not missing. A commit that is tried again has to find it, or the disc could not be
// booted any more.
func TestDriveGoneWhileBootImagesAreSought(t *testing.T) {
	r := newRig(t, "")
	r.others = true
	tree := filepath.Join(filepath.Dir(r.path), "tree")
	if err := os.MkdirAll(filepath.Join(tree, "boot"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, "boot", "loader"), make([]byte, 9000), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(r.ctx, "genisoimage", "-quiet", "-R", "-b", "boot/loader", "-no-emul-boot", "-boot-info-table",
		"-G", filepath.Join(tree, "boot", "loader"), "-o", r.path, tree).CombinedOutput(); err != nil {
		t.Fatalf("genisoimage: %v\n%s", err, out)
	}
	r.open()
	all := &leaving{BlockReader: r.disc.disc}
	want, err := r.disc.base.bootSetup(r.ctx, all, true)
	if err != nil || want.Boot == nil || len(want.Images) != 1 || want.Images[0].Path != "/boot/loader" || !want.Images[0].Patch.InfoTable {
		t.Fatalf("%+v, %v", want, err)
	}
	for n := 1; n <= all.reads; n++ {
		r.disc.base.boot = nil
		if _, err := r.disc.base.bootSetup(r.ctx, &leaving{BlockReader: r.disc.disc, gone: n}, true); err == nil {
			t.Errorf("read %d of %d failed, and nobody noticed", n, all.reads)
		}
		got, err := r.disc.base.bootSetup(r.ctx, r.disc.disc, true)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("after read %d of %d failed: %+v, %v; want %+v", n, all.reads, got, err, want)
		}
	}
}
