package audit

import (
	"crypto/md5"
	"crypto/sha256"
	"hash"

	"burnfs/iso9660/volume"
)

// digests are those of a file as it was read.
type digests struct {
	md5       [md5.Size]byte
	sha256    [sha256.Size]byte
	hasSHA256 bool // it was taken
}

// digester takes them.
type digester struct{ md5, sha256 hash.Hash }

func (d *digester) write(p []byte, withSHA256 bool) {
	d.md5.Write(p)
	if withSHA256 {
		d.sha256.Write(p)
	}
}

// digester returns one that is fresh.
func (a *Auditor) digester() *digester {
	last := len(a.spare) - 1
	if last < 0 {
		return &digester{md5.New(), sha256.New()}
	}
	d := a.spare[last]
	a.spare = a.spare[:last]
	d.md5.Reset()
	d.sha256.Reset()
	return d
}

// sum ends the use of d.
func (a *Auditor) sum(d *digester, withSHA256 bool) digests {
	got := digests{hasSHA256: withSHA256}
	d.md5.Sum(got.md5[:0])
	if withSHA256 {
		d.sha256.Sum(got.sha256[:0])
	}
	a.spare = append(a.spare, d)
	return got
}

// identity is what the names of one file in a session have in common.
type identity struct {
	index, serial uint32
	run
}

// identify gives the identity of a file; several is false if it has no other name.
// Programs that record no serial numbers give the names of a file one index.
func identify(e *volume.Entry, r run) (id identity, several bool) {
	switch {
	case e.ChecksumIndex != 0:
		return identity{index: e.ChecksumIndex, run: r}, true
	case e.Nlink > 1 && e.HasSerial:
		return identity{serial: e.Serial, run: r}, true
	}
	return identity{}, false
}
