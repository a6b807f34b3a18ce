package image_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"testing"

	"burnfs/iso9660/image"
)

// asked counts how often each directory is enumerated. Files without new content have
// no handles.
type asked struct {
	image.Source
	times map[uint64]int
	fresh map[uint64]bool // directories with files that have handles
}

func (a *asked) Children(ctx context.Context, d image.Node) iter.Seq2[image.Node, error] {
	a.times[d.ID]++
	return func(yield func(image.Node, error) bool) {
		for n, err := range a.Source.Children(ctx, d) {
			isNew := false
			for _, p := range n.Pieces {
				isNew = isNew || !p.Old
			}
			if n.IsRegular() && !isNew {
				n.Handle = nil
			}
			a.fresh[d.ID] = a.fresh[d.ID] || isNew
			if !yield(n, err) {
				return
			}
		}
	}
}

type full struct{ *os.File }

var errNoSpace = errors.New("no space left")

func (full) WriteAt([]byte, int64) (int, error) { return 0, errNoSpace }

// TestScratch makes the same images from what was noted of the source.
func TestScratch(t *testing.T) {
	for _, row := range optionRows {
		t.Run(row.name, func(t *testing.T) {
			opt := everything()
			row.change(&opt)
			want, _ := render(t, zoo(), opt)
			file := func() *os.File {
				f, err := os.CreateTemp(t.TempDir(), "")
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { f.Close() })
				return f
			}
			src := &asked{Source: zoo(), times: map[uint64]int{}, fresh: map[uint64]bool{}}
			opt.Scratch = file()
			if got, _ := render(t, src, opt); !bytes.Equal(got, want) {
				t.Errorf("from a transcript comes another image; first difference at byte %d", difference(got, want))
			}
			for id, n := range src.times {
				if most := map[bool]int{true: 2, false: 1}[src.fresh[id]]; n > most {
					t.Errorf("directory %d was read %d times instead of %d", id, n, most)
				}
			}
			opt.Scratch = full{file()}
			if got, _ := render(t, zoo(), opt); !bytes.Equal(got, want) {
				t.Errorf("when it cannot be written, there comes another image; first difference at byte %d", difference(got, want))
			}
		})
	}
}
