package hosttree

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"burnfs/iso9660/aaip"
)

// readXattrs returns the extended attributes of a file, not of what a symbolic
// link leads to, sorted by name. An error tells that some are missing.
func readXattrs(path string) ([]aaip.Attr, error) {
	names, err := growing(func(p []byte) (int, error) { return unix.Llistxattr(path, p) })
	if err != nil || len(names) == 0 {
		return nil, ignoreUnsupported(err)
	}
	var attrs []aaip.Attr
	var missing error
	for name := range bytes.SplitSeq(bytes.TrimSuffix(names, []byte{0}), []byte{0}) {
		value, err := growing(func(p []byte) (int, error) { return unix.Lgetxattr(path, string(name), p) })
		switch {
		case err == nil:
			attrs = append(attrs, aaip.Attr{Name: string(name), Value: value})
		case !errors.Is(err, unix.ENODATA): // removed since it was listed
			missing = errors.Join(missing, err)
		}
	}
	slices.SortFunc(attrs, func(a, b aaip.Attr) int { return strings.Compare(a.Name, b.Name) })
	return attrs, missing
}

// growing calls a function that fills a buffer until the buffer is large enough.
func growing(call func([]byte) (int, error)) ([]byte, error) {
	var buffer []byte
	for {
		n, err := call(buffer)
		switch {
		case errors.Is(err, unix.ERANGE):
		case err != nil || n == 0:
			return nil, err
		case n <= len(buffer):
			return buffer[:n], nil
		}
		// With an empty buffer the call tells the size, which may grow before
		// the next one.
		buffer = make([]byte, max(n, 2*len(buffer), 64))
	}
}

func ignoreUnsupported(err error) error {
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}
