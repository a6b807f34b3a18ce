package image

import (
	"bytes"
	"crypto/md5"
	"testing"

	"burnfs/iso9660"
	"burnfs/iso9660/checksum"
)

// head makes a superblock in which each letter is a descriptor, by type (ECMA-119
// 8.1.1), or something else behind the terminator; x and y are data, c is a
// checksum tag.
func head(letters string) []byte {
	b := make([]byte, SuperblockBlocks*iso9660.BlockSize)
	for i, c := range letters {
		at := uint32(iso9660.FirstDescriptor + i)
		d := block(b, at)
		copy(d[1:], "CD001\x01")
		switch c {
		case 'P', 'p':
			d[0] = 1
		case 'J', 'j':
			d[0] = 2
			copy(d[88:], "%/E")
		case 'N', 'U':
			d[0] = 2 // of ISO 9660:1999, or in another character set
		case 'B', 'b':
			d[0] = 0
		case 'E', 'e':
			d[0] = 0
			copy(d[7:], "EL TORITO SPECIFICATION")
		case 'T', 't':
			d[0] = 255
		case 'c':
			copy(d, checksum.Tag{Kind: checksum.Superblock, Pos: 1000 + at, RangeStart: 1000, RangeSize: at, Next: 1100}.Block())
			continue
		default:
			clear(d)
		}
		d[100] = byte(c)
	}
	return b
}

func TestReplaceSuperblock(t *testing.T) {
	letters := func(b []byte) (s string) {
		for at := uint32(iso9660.FirstDescriptor); at < SuperblockBlocks; at++ {
			d := block(b, at)
			if tag, err := checksum.ParseTag(d); err == nil {
				sum := md5.Sum(b[:int(at)*iso9660.BlockSize])
				if tag.Kind != checksum.RelocatedSuperblock || tag.Pos != at || tag.Next != 1000 || tag.MD5 != sum {
					return s + "?"
				}
				s += "C"
			} else if d[100] != 0 {
				s += string(d[100])
			}
		}
		return s
	}
	for _, tt := range []struct{ old, next, want, reason string }{
		{"PJT", "pjtc", "pjT", "one by one"},
		{"PBJTxy", "pjtc", "pBjTxy", "a boot record and what follows stay"},
		{"PEJT", "pejtc", "pejT", "the boot record may name another catalogue now"},
		{"PBJEbTx", "pejtc", "pBjebTx", "that of another boot system stays"},
		{"PT", "petc", "pT", "no room for a boot record"},
		{"PTx", "pjtc", "pTx", "no room for a Joliet descriptor"},
		{"PJT", "ptc", "ppT", "an old Joliet tree is not shown beside a new tree"},
		{"PJTcx", "pjtc", "pjTCx", "a tag of the old descriptors gives way to one of the new"},
		{"PJTcx", "pjt", "pjTx", "a tag of the old descriptors goes if the image has none"},
		{"PJx", "pjtc", "pjx", "the end is where there is no descriptor"},
		{"PJJTx", "pjtc", "pjpTx", "a second Joliet tree is not shown either"},
		{"PNTx", "pjtc", "ppTx", "nor one of ISO 9660:1999"},
		{"PUJTx", "pjtc", "ppjTx", "nor one in a character set that nobody knows"},
		{"PJPTx", "pjtc", "pjpTx", "nor that of a copy of the primary descriptor"},
		{"BPJTx", "pjtc", "pBjTx", "the primary one comes first"},
		{"EPTx", "petc", "peTx", "and the boot record where El Torito wants it"},
		{"BBPTx", "pjtc", "pBBTx", "likewise"},
		{"JT", "pjtc", "", "no primary descriptor"},
		{"PJT", "jt", "", "no primary descriptor in the image"},
	} {
		old := head(tt.old)
		before := bytes.Clone(old)
		got, err := ReplaceSuperblock(old, head(tt.next), 0)
		if (err != nil) != (tt.want == "") || err == nil && letters(got) != tt.want {
			t.Errorf("%s over %s: %s, %v; want %s (%s)", tt.next, tt.old, letters(got), err, tt.want, tt.reason)
		}
		if !bytes.Equal(old, before) {
			t.Errorf("%s: the old blocks were changed", tt.reason)
		}
	}
	if _, err := ReplaceSuperblock(head("PT")[1:], head("PT"), 0); err == nil {
		t.Error("31 blocks were taken for a superblock")
	}
}
