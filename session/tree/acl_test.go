package tree

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// acl makes a list from tag and permissions in turn.
func acl(entries ...uint16) []byte {
	v := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for i := 0; i < len(entries); i += 2 {
		v = binary.LittleEndian.AppendUint16(v, entries[i])
		v = binary.LittleEndian.AppendUint16(v, entries[i+1])
		v = binary.LittleEndian.AppendUint32(v, 1000)
	}
	return v
}

func TestACLAndModeAgree(t *testing.T) {
	for _, row := range []struct {
		reason string
		name   string
		value  []byte
		mode   uint32 // of the file afterwards
		kept   bool
		err    error
	}{
		{"a list of three entries is the mode; cp -a sets it on each file", aclAccess, acl(aclUserObj, 7, aclGroupObj, 5, aclOther, 4), 0o4754, false, nil},
		{"the mask stands for the group bits", aclAccess, acl(aclUserObj, 6, aclUser, 7, aclGroupObj, 4, aclMask, 7, aclOther, 0), 0o4670, true, nil},
		{"a mask alone is more than the mode says", aclAccess, acl(aclUserObj, 6, aclGroupObj, 7, aclMask, 1, aclOther, 0), 0o4610, true, nil},
		{"no entry takes the list away and leaves the mode", aclAccess, acl(), 0o4600, false, nil},
		{"named users need a mask", aclAccess, acl(aclUserObj, 6, aclUser, 7, aclGroupObj, 4, aclOther, 0), 0o4600, false, ErrInvalid},
		{"the owner's entry is needed", aclAccess, acl(aclGroupObj, 4, aclOther, 0), 0o4600, false, ErrInvalid},
		{"an entry twice", aclAccess, acl(aclUserObj, 6, aclUserObj, 6, aclGroupObj, 4, aclOther, 0), 0o4600, false, ErrInvalid},
		{"permissions have three bits", aclAccess, acl(aclUserObj, 8, aclGroupObj, 4, aclOther, 0), 0o4600, false, ErrInvalid},
		{"an unknown tag", aclAccess, acl(aclUserObj, 6, 0x40, 4, aclOther, 0), 0o4600, false, ErrInvalid},
		{"half an entry", aclAccess, acl(aclUserObj, 6)[:8], 0o4600, false, ErrInvalid},
		{"only directories have a default", aclDefault, acl(aclUserObj, 7, aclGroupObj, 5, aclOther, 4), 0o4600, false, ErrNotSupported},
	} {
		t.Run(row.reason, func(t *testing.T) {
			b := newBench(t, roomy)
			n, err := b.tree.Create(b.ctx, b.tree.Root(), "file", New{Mode: unix.S_IFREG | 0o4600})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.tree.SetXattr(b.ctx, n, row.name, row.value, 0); !errors.Is(err, row.err) {
				t.Fatalf("error %v, want %v", err, row.err)
			}
			a, err := b.tree.Attr(b.ctx, n)
			if err != nil || a.Mode&0o7777 != row.mode {
				t.Errorf("mode %04o, %v, want %04o", a.Mode&0o7777, err, row.mode)
			}
			if v, err := b.tree.Xattr(b.ctx, n, row.name); (err == nil) != row.kept || row.kept && !bytes.Equal(v, row.value) {
				t.Errorf("kept as %x, %v, want %v", v, err, row.kept)
			}
		})
	}
}

func TestChmodChangesACL(t *testing.T) {
	b := newBench(t, roomy)
	n, err := b.tree.Create(b.ctx, b.tree.Root(), "file", New{Mode: unix.S_IFREG | 0o600})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.tree.SetXattr(b.ctx, n, aclAccess, acl(aclUserObj, 6, aclUser, 7, aclGroupObj, 4, aclMask, 7, aclOther, 0), 0); err != nil {
		t.Fatal(err)
	}
	mode := uint32(0o751)
	if _, err := b.tree.SetAttr(b.ctx, n, SetAttr{Mode: &mode}); err != nil {
		t.Fatal(err)
	}
	want := acl(aclUserObj, 7, aclUser, 7, aclGroupObj, 4, aclMask, 5, aclOther, 1)
	if v, err := b.tree.Xattr(b.ctx, n, aclAccess); err != nil || !bytes.Equal(v, want) {
		t.Errorf("after chmod 0751 the list is %x, %v, want %x", v, err, want)
	}
}

func TestDefaultACLOfDirectory(t *testing.T) {
	b := newBench(t, roomy)
	d, err := b.tree.Create(b.ctx, b.tree.Root(), "directory", New{Mode: unix.S_IFDIR | 0o700})
	if err != nil {
		t.Fatal(err)
	}
	list := acl(aclUserObj, 7, aclGroupObj, 5, aclOther, 4)
	if err := b.tree.SetXattr(b.ctx, d, aclDefault, list, 0); err != nil {
		t.Fatal(err)
	}
	if v, err := b.tree.Xattr(b.ctx, d, aclDefault); err != nil || !bytes.Equal(v, list) {
		t.Errorf("the default list is %x, %v, want %x", v, err, list)
	}
	if a, err := b.tree.Attr(b.ctx, d); err != nil || a.Mode&0o7777 != 0o700 {
		t.Errorf("a default list changed the mode to %04o, %v", a.Mode, err)
	}
}

func TestDefaultACLIsInherited(t *testing.T) {
	list := acl(aclUserObj, 7, aclUser, 6, aclGroupObj, 5, aclMask, 7, aclOther, 4)
	small := acl(aclUserObj, 7, aclGroupObj, 5, aclOther, 0)
	for _, row := range []struct {
		reason      string
		list        []byte
		mode, umask uint32
		want        uint32
		access      []byte
		handedDown  bool
	}{
		{"without a list the umask decides", nil, unix.S_IFREG | 0o666, 0o027, 0o640, nil, false},
		{"the umask touches neither set-user-ID nor sticky", nil, unix.S_IFDIR | 0o5777, 0o7022, 0o5755, nil, false},
		{"with a list the umask is void", list, unix.S_IFREG | 0o666, 0o077, 0o664, acl(aclUserObj, 6, aclUser, 6, aclGroupObj, 5, aclMask, 6, aclOther, 4), false},
		{"the mode that is asked for bounds the mask", list, unix.S_IFREG | 0o600, 0, 0o600, acl(aclUserObj, 6, aclUser, 6, aclGroupObj, 5, aclMask, 0, aclOther, 0), false},
		{"directories hand it down", list, unix.S_IFDIR | 0o777, 0o022, 0o774, acl(aclUserObj, 7, aclUser, 6, aclGroupObj, 5, aclMask, 7, aclOther, 4), true},
		{"three entries are a mode", small, unix.S_IFREG | 0o666, 0o077, 0o640, nil, false},
		{"but are handed down", small, unix.S_IFDIR | 0o777, 0o077, 0o750, nil, true},
		{"fifos have lists", list, unix.S_IFIFO | 0o644, 0o022, 0o644, acl(aclUserObj, 6, aclUser, 6, aclGroupObj, 5, aclMask, 4, aclOther, 4), false},
		{"symlinks have none", list, unix.S_IFLNK | 0o777, 0o022, 0o777, nil, false},
	} {
		t.Run(row.reason, func(t *testing.T) {
			b := newBench(t, roomy)
			dir := b.create(b.tree.Root(), "d", unix.S_IFDIR|0o755)
			if row.list != nil {
				b.must(b.tree.SetXattr(b.ctx, dir, aclDefault, row.list, 0))
			}
			_, err := b.tree.Create(b.ctx, dir, "f", New{Mode: row.mode, Umask: row.umask})
			b.must(err)
			for range 2 {
				dir, err = b.tree.Lookup(b.ctx, b.tree.Root(), "d")
				b.must(err)
				n, err := b.tree.Lookup(b.ctx, dir, "f")
				b.must(err)
				a, err := b.tree.Attr(b.ctx, n)
				b.must(err)
				if a.Mode != row.mode&unix.S_IFMT|row.want {
					t.Errorf("mode %o, want %o", a.Mode, row.want)
				}
				if got, _ := b.tree.Xattr(b.ctx, n, aclAccess); !bytes.Equal(got, row.access) {
					t.Errorf("list %x, want %x", got, row.access)
				}
				want := row.list
				if !row.handedDown {
					want = nil
				}
				if got, _ := b.tree.Xattr(b.ctx, n, aclDefault); !bytes.Equal(got, want) {
					t.Errorf("default list %x, want %x", got, want)
				}
				b.reopen(roomy)
			}
		})
	}
}

func TestListOfStrangerDropsSetGID(t *testing.T) {
	for _, value := range [][]byte{
		acl(aclUserObj, 6, aclGroupObj, 5, aclOther, 0),
		acl(aclUserObj, 6, aclGroupObj, 5, aclMask, 5, aclOther, 0),
	} {
		b := newBench(t, roomy)
		n := b.create(b.tree.Root(), "f", unix.S_IFREG|0o2750)
		b.must(b.tree.SetXattr(b.ctx, n, aclAccess, value, XattrDropSetGID))
		if a, err := b.tree.Attr(b.ctx, n); err != nil || a.Mode != unix.S_IFREG|0o650 {
			t.Errorf("mode %o (%v)", a.Mode, err)
		}
	}
}
