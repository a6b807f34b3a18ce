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
