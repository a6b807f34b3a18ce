//go:build linux

package guest

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// bzImage is a kernel's image with one setup sector.
func bzImage(offset, length uint32, payload string) []byte {
	image := make([]byte, 1024)
	image[setupSectsAt] = 1
	copy(image[headerMagicAt:], "HdrS")
	binary.LittleEndian.PutUint32(image[payloadOffsetAt:], offset)
	binary.LittleEndian.PutUint32(image[payloadLengthAt:], length)
	return append(image, payload...)
}

func TestPayload(t *testing.T) {
	for _, test := range []struct {
		reason string
		image  []byte
		want   string
	}{
		{"code, payload, its size, something behind", bzImage(3, 11, "codpayload1234behind"), "payload"},
		{"the payload is longer than the file", bzImage(3, 100, "codpayload1234"), ""},
		{"the sum of both does not fit 32 bits", bzImage(0xffffffff, 0xffffffff, "codpayload1234"), ""},
		{"no room for the size", bzImage(0, 3, "codpayload1234"), ""},
		{"no header", make([]byte, 4096), ""},
		{"too short for a header", []byte("HdrS"), ""},
	} {
		got, err := payload(test.image)
		if (err == nil) != (test.want != "") || string(got) != test.want {
			t.Errorf("%s: %q, %v", test.reason, got, err)
		}
	}
}

func FuzzPayload(f *testing.F) {
	f.Add(bzImage(3, 11, "codpayload1234"))
	f.Fuzz(func(t *testing.T, image []byte) {
		if got, err := payload(image); err == nil && !bytes.Contains(image, got) {
			t.Error("the payload is not of the image")
		}
	})
}
