package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/medium"
	"burnfs/session/blocks"
	"burnfs/session/fsck"
	"burnfs/session/history"
	"burnfs/session/staging"
	"burnfs/session/tree"
)

// deepReport checks the only store of a closed rig against its disc.
func deepReport(r *rig) *fsck.Report {
	r.Helper()
	dirs, err := staging.Dirs(r.opt.StateDir)
	if err != nil || len(dirs) != 1 {
		r.Fatalf("stores %v, %v", dirs, err)
	}
	s, err := staging.OpenReadOnly(dirs[0])
	if err != nil {
		r.Fatal(err)
	}
	e, err := emu.Open(r.path, emu.Options{ReadOnly: true})
	if err != nil {
		r.Fatal(err)
	}
	drive := mmc.NewDrive(e, r.opt.Log)
	defer func() {
		if err := errors.Join(drive.Close(), s.Close()); err != nil {
			r.Error(err)
		}
	}()
	info, err := medium.Inspect(r.ctx, drive)
	if err != nil {
		r.Fatal(err)
	}
	disc := blocks.New(drive)
	sessions, err := history.List(r.ctx, info, disc)
	if err != nil {
		r.Fatal(err)
	}
	report, err := CheckStaging(r.ctx, s, disc, info, sessions, r.opt.Log)
	if err != nil {
		r.Fatal(err)
	}
	return report
}

// TestStagingAgainstTheDisc: what only the disc can tell is found with it, and is no damage
// without it.
func TestStagingAgainstTheDisc(t *testing.T) {
	type inos struct{ dir, old, changed, fresh uint64 }
	change := func(ino uint64, r staging.Reader, b *staging.Batch, f func(map[int]any)) {
		rec := map[int]any{}
		if err := cbor.Unmarshal(r.Inode(ino), &rec); err != nil {
			t.Fatal(err)
		}
		f(rec)
		raw, err := cbor.Marshal(rec)
		if err != nil {
			t.Fatal(err)
		}
		b.PutInode(ino, raw)
	}
	for _, row := range []struct {
		reason string
		edit   func(n inos, r staging.Reader, b *staging.Batch)
		want   []fsck.Kind
	}{
		{"whole", func(inos, staging.Reader, *staging.Batch) {}, nil},
		{"a file that the disc does not have lost its name", func(n inos, _ staging.Reader, b *staging.Batch) { b.DeleteDentry(n.dir, "fresh") }, []fsck.Kind{fsck.KindOrphan}},
		{"a name of the disc is taken for a new one", func(n inos, _ staging.Reader, b *staging.Batch) {
			b.DeleteDentry(n.dir, "fresh")
			b.PutDentry(n.dir, "old", append([]byte{0}, byte(n.fresh), 1))
		}, []fsck.Kind{fsck.KindBase}},
		{"one link too many", func(n inos, r staging.Reader, b *staging.Batch) {
			change(n.changed, r, b, func(rec map[int]any) { rec[2] = 2 })
		}, []fsck.Kind{fsck.KindLinks}},
		{"a directory that is elsewhere on the disc", func(n inos, r staging.Reader, b *staging.Batch) {
			change(n.dir, r, b, func(rec map[int]any) { rec[12] = 7 })
		}, []fsck.Kind{fsck.KindBase}},
	} {
		t.Run(row.reason, func(t *testing.T) {
			r := newRig(t, "bd-r")
			r.open()
			r.mkdir("dir")
			r.put("dir/old", []byte("old"))
			r.put("dir/changed", []byte("as burned"))
			r.commit()
			r.put("dir/changed", []byte("changed"))
			r.put("dir/fresh", []byte("fresh"))
			n := inos{r.dir("dir").Ino(), r.dir("dir/old").Ino(), r.dir("dir/changed").Ino(), r.dir("dir/fresh").Ino()}
			uuid := r.disc.store.Identity().UUID
			r.close()
			s, err := staging.Open(r.opt.StateDir, uuid, r.opt.Log)
			if err != nil {
				t.Fatal(err)
			}
			b := new(staging.Batch)
			if err := s.View(func(sr staging.Reader) error { row.edit(n, sr, b); return nil }); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.Commit(b), s.Close()); err != nil {
				t.Fatal(err)
			}
			report := deepReport(r)
			var got []fsck.Kind
			for _, f := range report.Findings {
				if !slices.Contains(got, f.Kind) {
					got = append(got, f.Kind)
				}
			}
			slices.Sort(got)
			slices.Sort(row.want)
			if !slices.Equal(got, row.want) || !report.Deep {
				t.Errorf("deep %v, found %v, should be %q", report.Deep, report.Findings, row.want)
			}
			shallow, err := fsck.Dir(context.Background(), filepath.Join(r.opt.StateDir, "discs", uuid))
			if err != nil || shallow.Damaged() || shallow.Deep {
				t.Errorf("without the disc: %+v, %v", shallow, err)
			}
		})
	}
}

// zeros is a disc of which nothing is left.
type zeros struct{}

func (zeros) ReadBlocks(_ context.Context, _ uint32, p []byte) error {
	clear(p)
	return nil
}

// TestStagingOfAnotherDisc: a disc without the session that changes build upon is no help,
// and said to be none.
func TestStagingOfAnotherDisc(t *testing.T) {
	if _, err := BaseOf(t.Context(), nil, []history.Session{{Readable: true, Hash: "one"}}, staging.BaseRef{Hash: "other"}, nil); !errors.Is(err, ErrDiscChanged) {
		t.Errorf("a disc without the session: %v", err)
	}
	damaged := []history.Session{{Hash: "one", Problem: "no root directory"}}
	if _, err := BaseOf(t.Context(), blocks.New(zeros{}), damaged, staging.BaseRef{Hash: "one"}, nil); !errors.Is(err, ErrNoISO) {
		t.Errorf("the right disc, of which the directories are damaged: %v", err)
	}
	if b, err := BaseOf(t.Context(), nil, nil, staging.BaseRef{}, nil); b != tree.Base(nil) || err != nil {
		t.Errorf("a blank disc: %v, %v", b, err)
	}
	if _, err := staging.OpenReadOnly(filepath.Join(t.TempDir(), "none")); !errors.Is(err, staging.ErrNotFound) || os.IsPermission(err) {
		t.Errorf("no store: %v", err)
	}
}
