package volume_test

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"burnfs/iso9660"
	"burnfs/iso9660/hostile"
	"burnfs/iso9660/volume"
)

// aside is how much memory a walk may keep beside what it shows, in bytes.
const aside = 16 << 20

// TestHostileDiscs reads discs that lie: what lies is reported, what does not is
// there, and neither time nor memory exceed what is shown by much.
func TestHostileDiscs(t *testing.T) {
	for _, row := range hostile.Rows() {
		t.Run(row.Name, func(t *testing.T) {
			d := hostile.Make(t, row)
			before := heap()
			began := time.Now()
			r := image{readerAt(d.Bytes), int64(len(d.Bytes))}
			v, err := volume.Open(t.Context(), r, 0, volume.Options{})
			if row.Refused {
				var format *iso9660.FormatError
				if !errors.As(err, &format) && !errors.Is(err, errBeyondMedium) {
					t.Errorf("opened with %v (%s)", err, row.Reason)
				}
				return
			}
			must(t, err)
			found := map[string]volume.Entry{}
			errs, shown := 0, 0
			var first error
			for at, err := range v.Walk(t.Context()) {
				checkVisit(t, at, err)
				if err != nil {
					if errs++; first == nil {
						first = err
					}
					continue
				}
				found[at.Path] = at.Entry
				shown += 200 + len(at.Path) + len(at.Entry.Target) + 16*len(at.Entry.Sections)
				for _, a := range at.Entry.Xattrs {
					shown += len(a.Name) + len(a.Value)
				}
			}
			if errs != row.Errors && !(row.AtLeast && errs > row.Errors) {
				t.Errorf("%d errors, the first is %v; want %d (%s)", errs, first, row.Errors, row.Reason)
			}
			for _, f := range d.Files() {
				e, ok := found[f.Path]
				if !ok {
					t.Errorf("%s is not there", f.Path)
					continue
				}
				if got := content(t, r, e); string(got) != f.Content {
					t.Errorf("%s: %q, want %q", f.Path, got, f.Content)
				}
			}
			for range v.PathTable(t.Context()) {
			}
			if array, err := v.Checksums(t.Context()); err == nil && array != nil {
				_ = array.Verify(t.Context())
			}
			if took := time.Since(began); took > 2*time.Minute {
				t.Errorf("it took %v", took)
			}
			if kept := heap() - before; kept > aside+4*int64(shown) {
				t.Errorf("%d bytes of memory for %d bytes that are shown", kept, shown)
			}
			runtime.KeepAlive(found)
		})
	}
}

// heap is how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// readerAt is a slice that is not copied.
type readerAt []byte

func (r readerAt) ReadAt(p []byte, off int64) (int, error) {
	if n := copy(p, r[min(off, int64(len(r))):]); n < len(p) {
		return n, io.ErrUnexpectedEOF
	}
	return len(p), nil
}

// TestTruncatedAtEachBlock cuts an image that somebody else made behind each of its
// blocks: what is in front of the cut and leads there is there.
func TestTruncatedAtEachBlock(t *testing.T) {
	whole := stored(t, "xorriso-112")
	last := 0
	for blocks := 17; blocks < min(len(whole)/iso9660.BlockSize, 400); blocks++ {
		r := imageOf(whole[:blocks*iso9660.BlockSize])
		v, err := volume.Open(t.Context(), r, 0, volume.Options{})
		if err != nil {
			if last > 0 {
				t.Fatalf("%d blocks cannot be opened, fewer could: %v", blocks, err)
			}
			continue
		}
		n := 0
		for at, err := range v.Walk(t.Context()) {
			if err == nil {
				n++
			} else {
				checkVisit(t, at, err)
			}
		}
		if n < last {
			t.Fatalf("%d entries on %d blocks, %d on one fewer", n, blocks, last)
		}
		last = n
	}
	if last < 10 {
		t.Errorf("the image has %d entries", last)
	}
}
