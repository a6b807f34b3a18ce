package rescue_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"burnfs/iso9660"
	"burnfs/iso9660/volume"
	"burnfs/iso9660/zisofs/zisofstest"
	"burnfs/session/rescue"
	"burnfs/session/staging"
	"burnfs/session/tree"
)

// packedDisc is a disc whose only file is compressed and begins at its first byte.
type packedDisc struct {
	recorded []byte
	file     volume.Entry
}

func (d *packedDisc) ReadAt(_ context.Context, p []byte, addr int64) error {
	if addr < 0 || addr+int64(len(p)) > int64(len(d.recorded)) {
		return errors.New("beyond the end")
	}
	copy(p, d.recorded[addr:])
	return nil
}

func (d *packedDisc) Root(context.Context) (volume.Entry, error) {
	return volume.Entry{Mode: unix.S_IFDIR | 0o755, Nlink: 2, Serial: tree.RootIno, HasSerial: true, Sections: []iso9660.Section{{LBA: 900, Size: 2048}}}, nil
}

func (d *packedDisc) ReadDir(context.Context, iso9660.Section) iter.Seq2[volume.Entry, error] {
	return func(yield func(volume.Entry, error) bool) { yield(d.file, nil) }
}

func (d *packedDisc) OwnSerials() bool { return true }

// TestExportCompressed: a compressed file of the disc of which a part was changed becomes
// whole with the disc, and has what was staged without it.
func TestExportCompressed(t *testing.T) {
	data := bytes.Repeat([]byte("all work and no play "), 8000)
	recorded, zf := zisofstest.Compress(t, data, 1, 15)
	disc := &packedDisc{recorded, volume.Entry{
		Name: "f", Mode: unix.S_IFREG | 0o644, Nlink: 1, Serial: 7, HasSerial: true,
		Size: int64(len(data)), Sections: []iso9660.Section{{Size: int64(len(recorded))}}, ZF: &zf, Compressed: true,
	}}
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	s, err := staging.Create(t.TempDir(), staging.Identity{UUID: "disc", Kind: staging.KindBlank}, log)
	must(t, err)
	tr, err := tree.Open(ctx, tree.Options{Store: s, Log: log, Base: disc, Disc: disc, NextIno: 8, Space: tree.Space{Total: 1 << 24, Free: 1 << 24, Overhead: 100}})
	must(t, err)
	n, err := tr.Lookup(ctx, tr.Root(), "f")
	must(t, err)
	_, err = tr.WriteAt(ctx, n, []byte("changed"), 70_000, false)
	must(t, err)
	must(t, tr.Rename(ctx, tr.Root(), "f", tr.Root(), "g")) // else only the disc knows its name
	must(t, errors.Join(tr.Close(ctx), s.Close()))
	copy(data[70_000:], "changed")
	part := make([]byte, len(data))
	copy(part[70_000:], "changed")
	for _, row := range []struct {
		reason string
		disc   tree.DataReader
		name   string
		want   []byte
	}{
		{"with the disc", disc, "g", data},
		{"without it", nil, "g.partial", part},
	} {
		dest := filepath.Join(t.TempDir(), "out")
		if _, err := export(t, s.Dir(), dest, rescue.Options{Disc: row.disc}); err != nil {
			t.Fatalf("%s: %v", row.reason, err)
		}
		var found []string
		must(t, filepath.WalkDir(dest, func(path string, _ os.DirEntry, err error) error {
			if base := filepath.Base(path); base == row.name {
				found = append(found, path)
			}
			return err
		}))
		if len(found) != 1 {
			t.Fatalf("%s: %s is there as %q", row.reason, row.name, found)
		}
		got, err := os.ReadFile(found[0])
		must(t, err)
		if !bytes.Equal(got, row.want) {
			t.Errorf("%s: %d bytes differ from the %d expected", row.reason, len(got), len(row.want))
		}
	}
}
