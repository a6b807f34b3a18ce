package volume_test

import (
	"context"
	"errors"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/susp"
	"burnfs/iso9660/volume"
)

// troubled is an image one of whose blocks cannot be read as long as bad says so.
type troubled struct {
	image
	lba uint32
	bad bool
}

var errTrouble = errors.New("the drive is gone")

func (m *troubled) ReadBlocks(ctx context.Context, lba uint32, p []byte) error {
	if m.bad && lba <= m.lba && m.lba-lba < uint32(len(p)/iso9660.BlockSize) {
		return errTrouble
	}
	return m.image.ReadBlocks(ctx, lba, p)
}

// TestTrouble reads a directory while the drive does not give a block that belongs to one
// of its entries: that is no fault of the format, and nothing is shown of the entry that
// is not recorded. Afterwards the entry is there.
func TestTrouble(t *testing.T) {
	for _, tt := range []struct {
		name   string
		lba    uint32
		record func(h *handmade)
	}{
		{"the area in which the entry is continued", continuationLBA, func(h *handmade) {
			area := named("entry")
			copy(h.block(continuationLBA), area)
			h.file("ENTRY.;1", susp.AppendCE(nil, susp.CE{LBA: continuationLBA, Length: uint32(len(area))}))
		}},
		{"a directory of which only its own record tells the size", subLBA, func(h *handmade) {
			h.directory(subLBA, rootLBA, nil)
			h.add(rootLBA, iso9660.Record{Location: subLBA, Flags: iso9660.FlagDirectory, Identifier: "ENTRY", SystemUse: named("entry")})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandmade(t, rockRidge())
			tt.record(h)
			h.file("GOOD.;1", named("good"))
			m := &troubled{image: imageOf(h.blocks), lba: tt.lba}
			v := mustOpen(t, m, 0, volume.Options{})
			root, err := v.Root(t.Context())
			must(t, err)
			read := func() (names []string, errs []error) {
				for e, err := range v.ReadDir(t.Context(), root.Directory()) {
					if err != nil {
						errs = append(errs, err)
						continue
					}
					names = append(names, e.Name)
				}
				return names, errs
			}
			m.bad = true
			names, errs := read()
			if len(names) != 1 || names[0] != "good" || len(errs) != 1 {
				t.Fatalf("shown are %q, errors %v", names, errs)
			}
			if _, format := errors.AsType[*iso9660.FormatError](errs[0]); format || !errors.Is(errs[0], errTrouble) {
				t.Errorf("the error is %v", errs[0])
			}
			m.bad = false
			if names, errs = read(); len(names) != 2 || len(errs) != 0 {
				t.Errorf("afterwards %q, errors %v", names, errs)
			}
		})
	}
}
