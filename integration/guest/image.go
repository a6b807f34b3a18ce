//go:build linux

package guest

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
)

// The setup header of a bzImage, Documentation/x86/boot.rst of the kernel,
// "The real-mode kernel header".
const (
	setupSectsAt    = 0x1f1 // byte: sectors of 512 behind the boot sector
	headerMagicAt   = 0x202 // "HdrS"
	payloadOffsetAt = 0x248 // le32: from the protected-mode code, protocol 2.08
	payloadLengthAt = 0x24c // le32
)

// payload is the compressed vmlinux in a bzImage. Its last four bytes are the
// size of the uncompressed one.
func payload(image []byte) ([]byte, error) {
	if len(image) < payloadLengthAt+4 || string(image[headerMagicAt:][:4]) != "HdrS" {
		return nil, fmt.Errorf("no bzImage")
	}
	sectors := uint64(image[setupSectsAt])
	if sectors == 0 {
		sectors = 4
	}
	start := (sectors+1)*512 + uint64(binary.LittleEndian.Uint32(image[payloadOffsetAt:]))
	end := start + uint64(binary.LittleEndian.Uint32(image[payloadLengthAt:]))
	if end > uint64(len(image)) || end < start+4 {
		return nil, fmt.Errorf("payload from %d to %d in an image of %d bytes", start, end, len(image))
	}
	return image[start : end-4], nil
}

// extractImage makes vmlinux of vmlinuz. A processor that is emulated would
// need seconds for that at every boot.
func extractImage(ctx context.Context, vmlinuz, vmlinux string) error {
	image, err := os.ReadFile(vmlinuz)
	if err != nil {
		return err
	}
	packed, err := payload(image)
	if err != nil {
		return fmt.Errorf("%s: %w", vmlinuz, err)
	}
	var program string
	switch { // CONFIG_KERNEL_XZ, _ZSTD, _GZIP
	case bytes.HasPrefix(packed, []byte("\xfd7zXZ\x00")):
		program = "xz"
	case bytes.HasPrefix(packed, []byte("\x28\xb5\x2f\xfd")):
		program = "zstd"
	case bytes.HasPrefix(packed, []byte("\x1f\x8b")):
		program = "gzip"
	default:
		return fmt.Errorf("%s is compressed in an unknown way: % x", vmlinuz, packed[:min(6, len(packed))])
	}
	cmd := exec.CommandContext(ctx, program, "-dc")
	cmd.Stdin = bytes.NewReader(packed)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	unpacked, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s -dc of %s: %w: %s", program, vmlinuz, err, stderr.Bytes())
	}
	if _, err := elf.NewFile(bytes.NewReader(unpacked)); err != nil {
		return fmt.Errorf("%s: %w", vmlinuz, err)
	}
	return os.WriteFile(vmlinux, unpacked, 0o644)
}
