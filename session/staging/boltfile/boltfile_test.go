package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"
)

// database makes one with buckets of n records each, some larger than a page, after enough
// changes that there are free pages.
func database(t testing.TB, n int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		if err := db.Update(func(tx *bbolt.Tx) error {
			for _, name := range []string{"a", "b"} {
				b, err := tx.CreateBucketIfNotExists([]byte(name))
				if err != nil {
					return err
				}
				for i := range n {
					if err := b.Put(key(i), value(name, i, round)); err != nil {
						return err
					}
				}
				if round == 2 {
					for i := range n / 2 {
						if err := b.Delete(key(2 * i)); err != nil {
							return err
						}
					}
				}
			}
			_, err := tx.CreateBucketIfNotExists([]byte("empty"))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func key(i int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(i)) }

func value(name string, i, round int) []byte {
	n := 40
	if i%100 == 1 {
		n = 10_000
	}
	return bytes.Repeat([]byte{byte(len(name) + i + round)}, n)
}

// read returns the records of a bucket and the errors on the way.
func read(t testing.TB, b []byte, bucket string) (map[string][]byte, []error) {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, []error{err}
	}
	got := map[string][]byte{}
	var errs []error
	for r, err := range f.Records(bucket) {
		if err != nil {
			errs = append(errs, err)
		} else {
			got[string(r.Key)] = r.Value
		}
	}
	return got, errs
}

func check(t testing.TB, b []byte) []error {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return []error{err}
	}
	return slices.Collect(f.Check())
}

func TestWholeDatabase(t *testing.T) {
	for _, n := range []int{0, 1, 10, 3000} {
		b := database(t, n)
		if errs := check(t, b); len(errs) > 0 {
			t.Errorf("%d records: %v", n, errs)
		}
		for _, bucket := range []string{"a", "b"} {
			got, errs := read(t, b, bucket)
			if len(errs) > 0 {
				t.Errorf("%d records, bucket %s: %v", n, bucket, errs)
			}
			want := map[string][]byte{}
			for i := range n {
				if i%2 == 1 || i/2 >= n/2 {
					want[string(key(i))] = value(bucket, i, 2)
				}
			}
			if !maps.EqualFunc(got, want, bytes.Equal) {
				t.Errorf("%d records, bucket %s: %d records, should be %d", n, bucket, len(got), len(want))
			}
		}
		if got, errs := read(t, b, "empty"); len(got)+len(errs) > 0 {
			t.Errorf("the empty bucket has %d records and %v", len(got), errs)
		}
		if _, errs := read(t, b, "missing"); len(errs) != 1 || !errors.Is(errs[0], ErrDamaged) {
			t.Errorf("a missing bucket: %v", errs)
		}
	}
}

// TestSalvage destroys one page after the other. Check says so, and Records gives all but
// what lay below that page.
func TestSalvage(t *testing.T) {
	whole := database(t, 1000)
	f, err := Open(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	all, _ := read(t, whole, "a")
	most := 0
	for id := uint64(2); id < f.high; id += 1 + f.high/100 {
		b := slices.Clone(whole)
		page := b[int64(id)*f.pageSize:][:f.pageSize]
		for i := range page {
			page[i] ^= 0xA5
		}
		got, errs := read(t, b, "a")
		if len(got) < len(all) && len(errs) == 0 {
			t.Errorf("page %d: %d records are missing without a word", id, len(all)-len(got))
		}
		if len(got) < len(all) && len(got) > most {
			most = len(got)
		}
		for k, v := range got {
			if want, ok := all[k]; ok && !bytes.Equal(v, want) && len(errs) == 0 && len(v) < int(f.pageSize) {
				t.Errorf("page %d: record %x has another value", id, k)
			}
		}
	}
	if most < len(all)/2 {
		t.Errorf("the destruction of one page left %d of %d records at best", most, len(all))
	}
}

func TestDamage(t *testing.T) {
	whole := database(t, 500)
	f, err := Open(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	root := f.root * uint64(f.pageSize)
	for _, row := range []struct {
		reason string
		change func(b []byte)
	}{
		{"both meta pages have a wrong checksum", func(b []byte) { b[16+60] ^= 1; b[f.pageSize+16+60] ^= 1 }},
		{"a page says to be another", func(b []byte) { b[root] ^= 1 }},
		{"a page of no kind", func(b []byte) { order.PutUint16(b[root+8:], 0x80) }},
		{"more elements than fit in", func(b []byte) { order.PutUint16(b[root+10:], 60_000) }},
		{"overflow beyond the file", func(b []byte) { order.PutUint32(b[root+12:], 1<<31) }},
		{"an element beyond its page", func(b []byte) { order.PutUint32(b[root+16+4:], 1<<31) }},
		{"a bucket that begins outside", func(b []byte) { setRoot(b[root:], 1<<40) }},
		{"a bucket that begins at the meta page", func(b []byte) { setRoot(b[root:], 1) }},
		{"a tree that contains its root", func(b []byte) { setRoot(b[root:], f.root) }},
		{"the list of free pages is none", func(b []byte) { order.PutUint16(b[f.freelist*uint64(f.pageSize)+8:], flagLeaf) }},
		{"a free page that is in use", func(b []byte) { order.PutUint64(b[f.freelist*uint64(f.pageSize)+16:], f.root) }},
		{"the same page free twice", func(b []byte) {
			p := b[f.freelist*uint64(f.pageSize)+16:]
			copy(p[8:16], p[:8])
		}},
	} {
		b := slices.Clone(whole)
		row.change(b)
		if errs := check(t, b); len(errs) == 0 {
			t.Errorf("%s: nothing is found", row.reason)
		} else if !errors.Is(errs[0], ErrDamaged) {
			t.Errorf("%s: %v is not %v", row.reason, errs[0], ErrDamaged)
		}
	}
	for _, size := range []int{0, 10, 100, int(f.pageSize), 3 * int(f.pageSize)} {
		if errs := check(t, whole[:size]); len(errs) == 0 {
			t.Errorf("cut to %d bytes: nothing is found", size)
		}
	}
}

// setRoot makes the first bucket of a leaf begin at another page.
func setRoot(leaf []byte, id uint64) {
	e := leaf[pageHeader:]
	pos := order.Uint32(e[4:]) + order.Uint32(e[8:])
	order.PutUint64(e[pos:], id)
}

// TestOlderMeta: a meta page that was being written when power failed does not count.
func TestOlderMeta(t *testing.T) {
	whole := database(t, 10)
	for i := range 2 {
		b := slices.Clone(whole)
		b[i*os.Getpagesize()+pageHeader+40] ^= 1
		if f, err := Open(bytes.NewReader(b), int64(len(b))); err != nil || f.root == 0 {
			t.Errorf("meta page %d is damaged: %v", i, err)
		}
	}
}

// TestRandomBytes damages databases at random places: nothing panics or goes on for ever.
func TestRandomBytes(t *testing.T) {
	whole := database(t, 300)
	rng := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 200 {
		b := slices.Clone(whole)
		for range 1 + rng.IntN(20) {
			b[2*os.Getpagesize()+rng.IntN(len(b)-2*os.Getpagesize())] = byte(rng.Uint32())
		}
		if len(check(t, b)) > 0 {
			found++
		}
		read(t, b, "a")
	}
	if found == 0 {
		t.Error("nothing was found in any of them")
	}
}

func FuzzDatabase(f *testing.F) {
	for _, n := range []int{0, 5, 30} {
		f.Add(database(f, n))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		// What a checksum would keep out has to be survived too.
		for at := 0; at+pageHeader+metaLen <= len(b) && at <= os.Getpagesize(); at += os.Getpagesize() {
			seal(b[at+pageHeader:])
		}
		for _, err := range check(t, b) {
			if err == nil {
				t.Error("a problem without a text")
			}
		}
		got, _ := read(t, b, "a")
		if len(got) > len(b) {
			t.Error(fmt.Sprint(len(got), " records in ", len(b), " bytes"))
		}
	})
}

// seal gives a meta page a good checksum.
func seal(m []byte) {
	sum := fnvOf(m[:metaLen-8])
	order.PutUint64(m[metaLen-8:], sum)
}

func fnvOf(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}
