package checksum

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"burnfs/iso9660"
)

// Kind tells the four tags apart.
type Kind int

// The kinds, in the order in which they are met on a disc.
const (
	RelocatedSuperblock Kind = iota // behind the copy of the descriptors at the beginning of an overwritable medium
	Superblock                      // behind the volume descriptors of a session
	Tree                            // behind the directories
	Session                         // behind everything
)

// names begin the tags; parameters name the address of a further block that some
// have.
var (
	names = [...]string{
		RelocatedSuperblock: "libisofs_rlsb32_checksum_tag_v1",
		Superblock:          "libisofs_sb_checksum_tag_v1",
		Tree:                "libisofs_tree_checksum_tag_v1",
		Session:             "libisofs_checksum_tag_v1",
	}
	parameters = [...]string{
		RelocatedSuperblock: "session_start",
		Superblock:          "next",
		Tree:                "next",
		Session:             "",
	}
)

func (k Kind) String() string {
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("tag kind %d", int(k))
	}
	return names[k]
}

// A Tag is a checksum with the range that it covers.
type Tag struct {
	Kind       Kind
	Pos        uint32 // block of the tag
	RangeStart uint32 // first block covered
	RangeSize  uint32 // number of blocks covered
	Next       uint32 // block of the next tag (Superblock, Tree); of the session (RelocatedSuperblock)
	MD5        [md5.Size]byte
}

// Errors of ParseTag.
var (
	// ErrNoTag says that the block is not a tag.
	ErrNoTag = errors.New("not a checksum tag")
	// ErrTagDamaged says that it was one: the tag's own checksum does not match.
	ErrTagDamaged = errors.New("the checksum tag is damaged")
)

// Block is the tag as it is recorded: one block of 2048 bytes.
func (t Tag) Block() []byte {
	line := make([]byte, 0, iso9660.BlockSize)
	line = append(line, t.Kind.String()...)
	number := func(name string, v uint32) {
		line = append(append(append(line, ' '), name...), '=')
		line = strconv.AppendUint(line, uint64(v), 10)
	}
	number("pos", t.Pos)
	number("range_start", t.RangeStart)
	number("range_size", t.RangeSize)
	if name := parameters[t.Kind]; name != "" {
		number(name, t.Next)
	}
	line = hex.AppendEncode(append(line, " md5="...), t.MD5[:])
	self := md5.Sum(line)
	line = hex.AppendEncode(append(line, " self="...), self[:])
	line = append(line, '\n')
	return line[:iso9660.BlockSize]
}

// ParseTag decodes the tag that block begins with. The error is ErrNoTag or
// ErrTagDamaged. Whether Pos is where the block was found is for the caller to
// check: a tag may be the content of a file.
func ParseTag(block []byte) (Tag, error) {
	line, _, found := bytes.Cut(block[:min(len(block), iso9660.BlockSize)], []byte{'\n'})
	if !found {
		return Tag{}, ErrNoTag
	}
	for kind, name := range names {
		if rest, ok := bytes.CutPrefix(line, []byte(name+" ")); ok {
			return parseTag(Kind(kind), line, rest)
		}
	}
	return Tag{}, ErrNoTag
}

func parseTag(kind Kind, line, rest []byte) (Tag, error) {
	t := Tag{Kind: kind}
	var self [md5.Size]byte
	covered := 0 // bytes of the line that self covers
	for _, field := range []struct {
		name   string
		number *uint32
		sum    *[md5.Size]byte
	}{
		{"pos", &t.Pos, nil},
		{"range_start", &t.RangeStart, nil},
		{"range_size", &t.RangeSize, nil},
		{parameters[kind], &t.Next, nil},
		{"md5", nil, &t.MD5},
		{"self", nil, &self},
	} {
		if field.name == "" {
			continue
		}
		var value []byte
		value, rest, _ = bytes.Cut(rest, []byte{' '})
		value, ok := bytes.CutPrefix(value, []byte(field.name+"="))
		if !ok {
			return Tag{}, ErrNoTag
		}
		if field.number != nil {
			n, err := strconv.ParseUint(string(value), 10, 32)
			if err != nil {
				return Tag{}, ErrNoTag
			}
			*field.number = uint32(n)
			continue
		}
		if len(value) != hex.EncodedLen(md5.Size) {
			return Tag{}, ErrNoTag
		}
		if _, err := hex.Decode(field.sum[:], value); err != nil {
			return Tag{}, ErrNoTag
		}
		if field.name == "md5" {
			covered = len(line) - len(rest) - 1
		}
	}
	if covered < 0 || md5.Sum(line[:covered]) != self {
		return Tag{}, ErrTagDamaged
	}
	return t, nil
}
