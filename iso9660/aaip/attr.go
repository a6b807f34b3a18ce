package aaip

import (
	"strings"

	"burnfs/iso9660"
	"burnfs/iso9660/susp"
)

// SignatureAL is the signature of the entries of this protocol.
const SignatureAL susp.Signature = 'A'<<8 | 'L'

// Identifier announces the protocol in an ER entry. libisofs omits that entry by
// default, as SUSP 1.10 allows, because a second ER would call for ES entries.
const Identifier = "AAIP_0200"

// ER announces the protocol, with the texts that it prescribes.
func ER() susp.ER {
	return susp.ER{
		Version:    1,
		Identifier: Identifier,
		Descriptor: "AL PROVIDES VIA AAIP 2.0 SUPPORT FOR ARBITRARY FILE ATTRIBUTES IN ISO 9660 IMAGES",
		Source:     "PLEASE CONTACT THE LIBBURNIA PROJECT VIA LIBBURNIA-PROJECT.ORG",
	}
}

// ReservedPrefix is the namespace of the producer's own notes.
const ReservedPrefix = "isofs."

// Names of the attributes that travel as access control lists.
const (
	NameACLAccess  = "system.posix_acl_access"
	NameACLDefault = "system.posix_acl_default"
)

// An Attr is an extended attribute, with its name as Linux spells it.
type Attr struct {
	Name  string
	Value []byte
}

// Layout of an AL entry and of a component record.
const (
	alFixedSize        = 5
	maxAL              = susp.MaxEntrySize - alFixedSize
	flagContinue       = 1 << 0
	componentFixedSize = 2
	maxComponent       = 255
)

// literalName is the byte before a name whose own first byte would be taken for
// a namespace; names may begin with any byte up to lastReserved.
const (
	literalName  = 0x01
	lastReserved = 0x1F
)

// namespace gives the prefix that a first byte of a name stands for.
func namespace(first byte) (prefix string, ok bool) {
	switch first {
	case 0x02:
		return "system.", true
	case 0x03:
		return "user.", true
	case 0x04:
		return ReservedPrefix, true
	case 0x05:
		return "trusted.", true
	case 0x06:
		return "security.", true
	}
	return "", false
}

// A Decoder puts the attributes of a file together from the AL entries of its
// record. The zero value is ready for use.
type Decoder struct {
	stream []byte
	done   bool
}

// Reset makes d ready for the next record.
func (d *Decoder) Reset() { d.stream, d.done = d.stream[:0], false }

// Empty tells whether nothing has been added.
func (d *Decoder) Empty() bool { return len(d.stream) == 0 }

// Add takes the next entry; others than whole AL are ignored, and so are those
// after the one that ends the list.
func (d *Decoder) Add(e susp.Entry) {
	if d.done || len(e) < alFixedSize || e.Signature() != SignatureAL {
		return
	}
	d.stream = append(d.stream, e[alFixedSize:]...)
	d.done = e[4]&flagContinue == 0
}

// Attrs decodes what has been added. Nothing of the result refers to d. Those
// attributes that came before a place where the stream is broken are returned
// beside the error, which is iso9660.ErrTruncated. Access control lists of a form
// unknown to this package are left out.
func (d *Decoder) Attrs() ([]Attr, error) {
	var attrs []Attr
	var lists []byte
	for stream := d.stream; len(stream) > 0; {
		var name, value []byte
		var ok bool
		if name, stream, ok = component(stream); ok {
			value, stream, ok = component(stream)
		}
		if !ok {
			return withACLs(attrs, lists), iso9660.ErrTruncated
		}
		if len(name) == 0 {
			lists = value
			continue
		}
		if full := expandName(name); full != "" && strings.IndexByte(full, 0) < 0 {
			attrs = append(attrs, Attr{Name: full, Value: value})
		}
	}
	return withACLs(attrs, lists), nil
}

// component takes one component off the stream, as a copy.
func component(stream []byte) (text, rest []byte, ok bool) {
	text = []byte{}
	for len(stream) >= componentFixedSize {
		flags, length := stream[0], int(stream[1])
		stream = stream[componentFixedSize:]
		if length > len(stream) {
			return nil, nil, false
		}
		text = append(text, stream[:length]...)
		stream = stream[length:]
		if flags&flagContinue == 0 {
			return text, stream, true
		}
	}
	return nil, nil, false
}

func expandName(name []byte) string {
	if name[0] == literalName {
		return string(name[1:])
	}
	if prefix, ok := namespace(name[0]); ok {
		return prefix + string(name[1:])
	}
	return string(name)
}

// shortenName gives the namespace byte and the name without its prefix; first is
// 0 if the name is to be recorded as it is.
func shortenName(name string) (first byte, rest string) {
	for first = 0x02; ; first++ {
		prefix, ok := namespace(first)
		if !ok {
			break
		}
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return first, rest
		}
	}
	if name != "" && name[0] <= lastReserved {
		return literalName, name
	}
	return 0, name
}

// AppendAL appends attrs, in as many AL entries as it takes and none for an empty
// list. Access control lists must be in the binary form of Linux; values that are
// not are recorded as plain attributes.
func AppendAL(dst []byte, attrs []Attr) []byte {
	w := alWriter{dst: dst}
	var access, initial []byte
	for _, a := range attrs {
		switch {
		case a.Name == NameACLAccess && validACL(a.Value):
			access = a.Value
		case a.Name == NameACLDefault && validACL(a.Value):
			initial = a.Value
		default:
			first, rest := shortenName(a.Name)
			w.component(first, rest)
			w.component(0, string(a.Value))
		}
	}
	if access != nil || initial != nil {
		w.component(0, "")
		w.component(0, string(encodeACLs(access, initial)))
	}
	return w.dst
}

// An alWriter cuts a stream of bytes into AL entries.
type alWriter struct {
	dst   []byte
	begun bool
	entry int // where the entry being filled begins
}

func (w *alWriter) byte(c byte) {
	if full := w.begun && len(w.dst)-w.entry == susp.MaxEntrySize; full || !w.begun {
		if full {
			w.dst[w.entry+4] = flagContinue
		}
		w.entry, w.begun = len(w.dst), true
		w.dst = append(susp.Header(w.dst, SignatureAL, alFixedSize-susp.HeaderSize), 0)
	}
	w.dst = append(w.dst, c)
	w.dst[w.entry+2] = byte(len(w.dst) - w.entry)
}

// component writes one component, with the byte first before s unless it is 0.
func (w *alWriter) component(first byte, s string) {
	if first != 0 {
		s = string([]byte{first}) + s
	}
	for {
		part := s[:min(len(s), maxComponent)]
		s = s[len(part):]
		var flags byte
		if s != "" {
			flags = flagContinue
		}
		w.byte(flags)
		w.byte(byte(len(part)))
		for i := range len(part) {
			w.byte(part[i])
		}
		if s == "" {
			return
		}
	}
}
