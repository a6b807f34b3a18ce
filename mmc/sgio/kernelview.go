package sgio

import (
	"bytes"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mediaCount watches how often the kernel has seen another medium in a drive. The
// kernel sends TEST UNIT READY whenever somebody opens the node and, unless the
// drive is claimed for writing, every few seconds. The unit attention of a
// changed medium is told once, and then the kernel has it; it counts those in
// diskseq (Linux 5.15).
type mediaCount struct {
	file *os.File // diskseq of sysfs; nil if there is none
	seen string
}

func (m *mediaCount) init(s system, n node) {
	if n.dir == "" || n.generic {
		return
	}
	f, err := os.Open(s.path(n.dir, "diskseq"))
	if err != nil {
		return
	}
	m.file = f
	m.seen, _ = m.read()
}

func (m *mediaCount) read() (string, bool) {
	var b [32]byte
	n, err := m.file.ReadAt(b[:], 0)
	if n == 0 && err != nil {
		return "", false // the drive is being taken away
	}
	return string(bytes.TrimSpace(b[:n])), true
}

// changed reports whether the medium may be another one than when reported was
// called last.
func (m *mediaCount) changed() bool {
	if m.file == nil {
		return false
	}
	now, ok := m.read()
	return ok && now != m.seen
}

func (m *mediaCount) reported() {
	if now, ok := m.read(); ok {
		m.seen = now
	}
}

func (m *mediaCount) close() {
	if m.file != nil {
		_ = m.file.Close() // only read from
	}
}

// flush drops what the kernel has cached of the blocks. Only root may; for others
// the kernel does it when nobody has the node open any more.
func (t *Transport) flush() {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(t.fd), unix.BLKFLSBUF, 0); errno != 0 {
		t.log.Debug("the kernel keeps the blocks it has cached", "path", t.path, "err", errno)
	}
}

// Stale reports whether other programs that read through the kernel see an older
// state of the medium than the one that has capacity blocks of 2048 bytes: the
// kernel keeps the size of a medium until the drive announces another one. It
// helps to eject the disc and to load it again.
func (t *Transport) Stale(capacity uint32) bool {
	if t.generic {
		return false
	}
	var size uint64 // bytes
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(t.fd), unix.BLKGETSIZE64, uintptr(unsafe.Pointer(&size)))
	return errno == 0 && size/2048 < uint64(capacity)
}
