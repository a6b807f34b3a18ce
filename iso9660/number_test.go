package iso9660_test

import (
	"bytes"
	"testing"

	"burnfs/iso9660"
)

func TestBothByteOrders(t *testing.T) {
	sixteen := iso9660.AppendBoth16(nil, 0x1234)
	if want := []byte{0x34, 0x12, 0x12, 0x34}; !bytes.Equal(sixteen, want) {
		t.Errorf("7.2.3: % x, want % x", sixteen, want)
	}
	thirtyTwo := iso9660.AppendBoth32(nil, 0x12345678)
	if want := []byte{0x78, 0x56, 0x34, 0x12, 0x12, 0x34, 0x56, 0x78}; !bytes.Equal(thirtyTwo, want) {
		t.Errorf("7.3.3: % x, want % x", thirtyTwo, want)
	}
	put16, put32 := make([]byte, 4), make([]byte, 8)
	iso9660.PutBoth16(put16, 0x1234)
	iso9660.PutBoth32(put32, 0x12345678)
	if !bytes.Equal(put16, sixteen) || !bytes.Equal(put32, thirtyTwo) {
		t.Errorf("Put stores % x and % x", put16, put32)
	}
	if iso9660.Both16(sixteen) != 0x1234 || iso9660.Both32(thirtyTwo) != 0x12345678 {
		t.Errorf("read back: %x and %x", iso9660.Both16(sixteen), iso9660.Both32(thirtyTwo))
	}
	for i := range sixteen {
		b := bytes.Clone(sixteen)
		b[i] ^= 1
		if iso9660.Both16Agrees(b) {
			t.Errorf("7.2.3 with byte %d flipped agrees", i)
		}
	}
	for i := range thirtyTwo {
		b := bytes.Clone(thirtyTwo)
		b[i] ^= 1
		if iso9660.Both32Agrees(b) {
			t.Errorf("7.3.3 with byte %d flipped agrees", i)
		}
	}
	if !iso9660.Both16Agrees(sixteen) || !iso9660.Both32Agrees(thirtyTwo) {
		t.Error("what was encoded does not agree")
	}
}
