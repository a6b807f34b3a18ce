package check

import (
	"bytes"
	"math/bits"
	"strings"

	"burnfs/iso9660"
	"burnfs/iso9660/aaip"
	"burnfs/iso9660/checksum"
	"burnfs/iso9660/nanotime"
	"burnfs/iso9660/rrip"
	"burnfs/iso9660/susp"
	"burnfs/iso9660/zisofs"
)

// Types of files in PX (RRIP 4.1.1).
const (
	modeType    = 0o170000
	modeSocket  = 0o140000
	modeSymlink = 0o120000
	modeRegular = 0o100000
	modeBlock   = 0o060000
	modeDir     = 0o040000
	modeChar    = 0o020000
	modeFIFO    = 0o010000
)

const (
	sizePX110      = 36 // until 1.10: no serial number
	maxName        = 255
	sizeSF110      = 12 // until 1.10: no table depth
	sizeSF112      = 21
	flagContinue   = 1 << 0 // of NM, SL, AL and components of SL
	flagCurrent    = 1 << 1 // of NM and components
	flagParent     = 1 << 2 // of NM and components
	flagRoot       = 1 << 3 // of components
	flagVolumeRoot = 1 << 4 // of components, until 1.10
	flagHost       = 1 << 5 // of NM and components, until 1.10
	flagsFixed     = 5      // bytes of an entry up to and with its flags
	tfLongForm     = 1 << 7
	nanoPerSecond  = 1e9
)

// entry checks one System Use entry and adds what it says to u. Signatures that are
// not known are other people's, and allowed.
func (t *tree) entry(at where, e susp.Entry, u *systemUse) {
	switch e.Signature() {
	case rrip.SignaturePX:
		t.px(at, e, u)
	case rrip.SignaturePN:
		t.once(at, DeviceNumber, e, u.hasPN)
		if u.hasPN = true; len(e) != rrip.SizePN {
			t.report(DeviceNumber, at, "PN has %d bytes instead of %d", len(e), rrip.SizePN)
		} else if !iso9660.Both32Agrees(e[4:]) || !iso9660.Both32Agrees(e[12:]) {
			t.report(DeviceNumber, at, "the two halves of a number of PN disagree: %x", []byte(e[4:]))
		}
	case rrip.SignatureNM:
		t.nm(at, e, u)
	case rrip.SignatureSL:
		t.sl(at, e, u)
	case rrip.SignatureTF:
		t.tf(at, e, u)
	case rrip.SignatureCL:
		t.once(at, Relocation, e, u.hasCL)
		u.cl, u.hasCL = t.location(at, e)
	case rrip.SignaturePL:
		t.once(at, Relocation, e, u.hasPL)
		u.pl, u.hasPL = t.location(at, e)
	case rrip.SignatureRE:
		if u.hasRE = true; len(e) != rrip.SizeRE {
			t.form("RRIP 4.1.5.3", at, "RE has %d bytes instead of %d", len(e), rrip.SizeRE)
		}
	case rrip.SignatureSF:
		t.sf(at, e)
	case aaip.SignatureAL:
		u.hasAL = true
		if len(e) < flagsFixed {
			t.report(Attributes, at, "AL has %d bytes", len(e))
		} else if !u.al.next(e[4]&flagContinue != 0) {
			t.report(Attributes, at, "an AL entry follows the one that is marked as the last")
		} else if e[4]&^flagContinue != 0 {
			t.form("AAIP 2.0", at, "AL has flags that have no meaning: %#02x", e[4])
		}
		u.attrs.Add(e)
	case zisofs.SignatureZF, zisofs.SignatureZ2:
		if u.zf, u.hasZF = zisofs.Parse(e); !u.hasZF {
			t.report(Compressed, at, "%v has %d bytes instead of %d", e.Signature(), len(e), zisofs.SizeZF)
		}
	case nanotime.Signature:
		t.nano(at, e, u)
	case checksum.SignatureBH:
		t.hashes(at, e)
	case susp.SignatureER:
		if er, ok := susp.ParseER(e); !ok {
			t.report(ExtensionReference, at, "an ER entry is too short for its texts")
		} else if u.hasER = u.hasER || rrip.IsRockRidge(er.Identifier); er.Size() != len(e) {
			t.form("SUSP 5.5", at, "ER has %d bytes, and its texts make it %d", len(e), er.Size())
		}
		if at.dir != 0 || at.name != "" {
			t.form("SUSP 5.5", at, "ER is in another record than the first of the root")
		}
	case susp.SignatureSP:
		u.hasSP = true
	case susp.SignatureES:
		if len(e) != susp.SizeES {
			t.form("SUSP 5.6", at, "ES has %d bytes instead of %d", len(e), susp.SizeES)
		}
	}
}

func (t *tree) px(at where, e susp.Entry, u *systemUse) {
	px, ok := rrip.ParsePX(e)
	if !ok || len(e) != sizePX110 && len(e) != rrip.SizePX {
		t.report(FileAttributes, at, "PX has %d bytes instead of %d or %d", len(e), sizePX110, rrip.SizePX)
		return
	}
	t.once(at, FileAttributes, e, u.hasPX)
	u.px, u.hasPX = px, true
	for field := e[4:]; len(field) >= 8; field = field[8:] {
		if !iso9660.Both32Agrees(field) {
			t.report(FileAttributes, at, "the two halves of a number of PX disagree: %x", []byte(field[:8]))
		}
	}
}

func (t *tree) nm(at where, e susp.Entry, u *systemUse) {
	u.hasNM = true
	if len(e) < flagsFixed {
		t.report(AlternateName, at, "NM has %d bytes", len(e))
		return
	}
	if !u.nm.next(e[4]&flagContinue != 0) {
		t.report(AlternateName, at, "an NM entry follows the one that is marked as the last")
	}
	const known = flagContinue | flagCurrent | flagParent | flagHost
	switch flags := e[4]; {
	case flags&^known != 0 || bits.OnesCount8(flags) > 1:
		t.form("RRIP 4.1.4", at, "NM has flags that have no meaning together or at all: %#02x", flags)
	case flags&(flagCurrent|flagParent|flagHost) != 0 && len(e) > flagsFixed:
		t.form("RRIP 4.1.4", at, "NM has a name, and the flags %#02x that stand for one", flags)
	}
	u.name.Add(e)
}

func (t *tree) sl(at where, e susp.Entry, u *systemUse) {
	u.hasSL = true
	if len(e) < flagsFixed {
		t.report(SymbolicLink, at, "SL has %d bytes", len(e))
		return
	}
	if !u.sl.next(e[4]&flagContinue != 0) {
		t.report(SymbolicLink, at, "an SL entry follows the one that is marked as the last")
	}
	for components := e[flagsFixed:]; len(components) > 0; {
		if len(components) < 2 || 2+int(components[1]) > len(components) {
			t.report(SymbolicLink, at, "a component of the target reaches beyond its SL entry")
			return
		}
		t.component(at, components)
		u.cut = components[0]&flagContinue != 0
		components = components[2+int(components[1]):]
	}
	if e[4]&^flagContinue != 0 {
		t.form("RRIP 4.1.3", at, "SL has flags that have no meaning: %#02x", e[4])
	}
	// What cannot be decoded has been reported.
	_ = u.target.Add(e)
}

// component checks the flags of a component of a target (RRIP 4.1.3.1).
func (t *tree) component(at where, c susp.Entry) {
	const special = flagCurrent | flagParent | flagRoot | flagVolumeRoot | flagHost
	switch flags := c[0]; {
	case flags&^(flagContinue|special) != 0 || bits.OnesCount8(flags) > 1:
		t.form("RRIP 4.1.3.1", at, "a component of SL has flags that have no meaning together or at all: %#02x", flags)
	case flags&special != 0 && c[1] != 0:
		t.form("RRIP 4.1.3.1", at, "a component of SL has a text, and the flags %#02x that stand for one", flags)
	}
}

// once demands that there is not already an entry of the kind of e.
func (t *tree) once(at where, rule Rule, e susp.Entry, already bool) {
	if already {
		t.report(rule, at, "there is a second %v", e.Signature())
	}
}

func (t *tree) sf(at where, e susp.Entry) {
	if len(e) != sizeSF110 && len(e) != sizeSF112 {
		t.report(SparseFile, at, "SF has %d bytes instead of %d or %d", len(e), sizeSF110, sizeSF112)
		return
	}
	t.report(SparseFile, at, "the file is sparse, which readers of our time do not support")
}

func (t *tree) tf(at where, e susp.Entry, u *systemUse) {
	u.hasTF = true
	if _, ok := rrip.ParseTF(e); !ok {
		t.report(TimeStamps, at, "TF has %d bytes, too few for its dates", len(e))
		return
	}
	width, decode := iso9660.DirectoryTimeSize, iso9660.DirectoryTime
	if e[4]&tfLongForm != 0 {
		width, decode = iso9660.VolumeTimeSize, iso9660.VolumeTime
		t.report(TimeStamps, at, "TF has dates of %d bytes, of which Linux before 6.14 makes nonsense", width)
	}
	if want := flagsFixed + bits.OnesCount8(e[4]&^tfLongForm)*width; len(e) != want {
		t.form("RRIP 4.1.6", at, "TF has %d bytes, and its dates make it %d", len(e), want)
	}
	for i := range bits.OnesCount8(e[4] &^ tfLongForm) {
		field := e[flagsFixed+i*width:][:width]
		if _, err := decode(field); err != nil {
			t.report(TimeStamps, at, "date %d of TF is %v: %x", i+1, err, []byte(field))
		} else if badZone(field[width-1]) {
			t.report(TimeStamps, at, "date %d of TF is %d quarters of an hour from Greenwich", i+1, int8(field[width-1]))
		}
	}
}

func (t *tree) location(at where, e susp.Entry) (uint32, bool) {
	lba, ok := rrip.ParseLocation(e)
	if !ok || len(e) != rrip.SizeLocation {
		t.report(Relocation, at, "%v has %d bytes instead of %d", e.Signature(), len(e), rrip.SizeLocation)
	} else if !iso9660.Both32Agrees(e[4:]) {
		t.report(Relocation, at, "the two halves of the number of %v disagree: %x", e.Signature(), []byte(e[4:12]))
	}
	return lba, ok
}

func (t *tree) nano(at where, e susp.Entry, u *systemUse) {
	u.hasBF = true
	if _, ok := nanotime.Parse(e); !ok || len(e) != flagsFixed+4*bits.OnesCount8(e[4]) {
		t.report(Nanoseconds, at, "BF is not what burnfs writes: %x", []byte(e))
		return
	}
	for field := e[flagsFixed:]; len(field) > 0; field = field[4:] {
		if v := iso9660.MSB32(field); v >= nanoPerSecond {
			t.report(Nanoseconds, at, "BF has a fraction of %d nanoseconds", v)
		}
	}
}

// hashes checks BH, which tells where the SHA-256s are.
func (t *tree) hashes(at where, e susp.Entry) {
	if root := at.dir == 0 && at.name == ""; !root {
		t.report(SHA256Array, at, "BH is in another record than that of the root")
		return
	}
	area, ok := checksum.ParseBH(e)
	if !ok || !bytes.Equal(checksum.AppendBH(nil, area), e) {
		t.report(SHA256Array, at, "BH is not what burnfs writes: %x", []byte(e))
		return
	}
	if !t.quiet && !t.hasBH {
		t.sha256, t.hasBH = area, true
	}
}

// directoryUse checks what "." and ".." say.
func (t *tree) directoryUse(at where, u *systemUse) {
	if !u.intact {
		return
	}
	switch {
	case !u.hasPX:
		t.report(FileAttributes, at, "there is no PX")
	case u.px.Mode&modeType != modeDir:
		t.report(FileAttributes, at, "by its mode, %#o, the directory is none", u.px.Mode)
	}
	t.times(at, u)
	t.attributes(at, u)
}

// entryUse checks what the System Use field of an entry says.
func (t *tree) entryUse(e *entry) {
	u := &e.use
	if !u.intact {
		return
	}
	at := e.where
	t.name(at, u)
	t.times(at, u)
	directory := e.flags&iso9660.FlagDirectory != 0
	kind := u.px.Mode & modeType
	sound := false
	switch {
	case !u.hasPX:
		t.report(FileAttributes, at, "there is no PX")
	case directory && kind != modeDir:
		t.report(FileAttributes, at, "by its mode, %#o, the directory is none", u.px.Mode)
	case !directory && kind == modeDir && !u.hasCL:
		t.report(FileAttributes, at, "by its mode, %#o, the file is a directory", u.px.Mode)
	case !knownType(kind):
		t.report(FileAttributes, at, "the mode %#o names no type of file", u.px.Mode)
	default:
		sound = true
	}
	switch {
	case directory && u.hasCL:
		t.report(Relocation, at, "the record of a directory has CL")
	case u.hasPL:
		t.report(Relocation, at, "PL is in another record than that of a parent")
	case !directory && u.hasRE:
		t.report(Relocation, at, "RE is in the record of a file, and hides it")
	}
	if sound {
		t.kind(at, u, kind)
	}
	t.attributes(at, u)
}

func knownType(kind uint32) bool {
	switch kind {
	case modeSocket, modeSymlink, modeRegular, modeBlock, modeDir, modeChar, modeFIFO:
		return true
	}
	return false
}

// kind checks the entries that only some types of files have.
func (t *tree) kind(at where, u *systemUse, kind uint32) {
	switch symlink := kind == modeSymlink; {
	case symlink && (!u.hasSL || len(u.target.Target()) == 0):
		t.report(SymbolicLink, at, "the symbolic link has no target")
	case symlink && u.cut:
		t.report(SymbolicLink, at, "the last component of the target says that it goes on")
	case symlink && strings.IndexByte(string(u.target.Target()), 0) >= 0:
		t.report(SymbolicLink, at, "the target of the symbolic link has a zero byte in it")
	case !symlink && u.hasSL:
		t.report(SymbolicLink, at, "SL gives a target to what is no symbolic link by its mode, %#o", u.px.Mode)
	}
	// Some producers give PN to pipes and sockets, too, and nobody looks at it.
	switch device := kind == modeBlock || kind == modeChar; {
	case device && !u.hasPN:
		t.report(DeviceNumber, at, "the device has no PN")
	case !device && u.hasPN && kind != modeFIFO && kind != modeSocket:
		t.report(DeviceNumber, at, "PN gives a device number to what is no device by its mode, %#o", u.px.Mode)
	}
}

func (t *tree) name(at where, u *systemUse) {
	name := string(u.name.Name())
	switch {
	case !u.hasNM:
		t.report(AlternateName, at, "there is no NM, so that the identifier is shown for the name")
	case name == "" || name == "." || name == "..":
		t.report(AlternateName, at, "the name is %q", name)
	case strings.ContainsAny(name, "/\x00"):
		t.report(AlternateName, at, "the name %q has a '/' or a zero byte in it", name)
	case len(name) > maxName:
		t.report(AlternateName, at, "the name has %d bytes, and readers take %d", len(name), maxName)
	}
}

func (t *tree) times(at where, u *systemUse) {
	switch {
	case u.hasBF && !u.hasTF:
		t.report(Nanoseconds, at, "there is BF, but no TF to add it to")
	case !u.hasTF:
		t.report(TimeStamps, at, "there is no TF")
	}
}

// attributes checks the attributes, and takes note of the producer's own.
func (t *tree) attributes(at where, u *systemUse) {
	if !u.hasAL {
		return
	}
	attrs, err := u.attrs.Attrs()
	if err != nil && !u.al.broken() {
		t.report(Attributes, at, "the attributes in the AL entries are broken: %v", err)
	}
	root := at.dir == 0 && at.name == ""
	if !u.attrs.ValidACLs() {
		t.report(Attributes, at, "the access control lists in the AL entries are broken")
	}
	names := map[string]bool{}
	for _, a := range attrs {
		if names[a.Name] {
			t.report(Attributes, at, "the attribute %q is recorded twice", a.Name)
		}
		names[a.Name] = true
		switch {
		case a.Name == "" || strings.IndexByte(a.Name, 0) >= 0:
			t.report(Attributes, at, "an attribute has the name %q", a.Name)
		case a.Name == checksum.IndexName && !root:
			u.index = t.index(at, a.Value)
		case a.Name == checksum.AreaName && root && !t.quiet && !t.hasArea:
			if t.array, err = checksum.ParseArea(a.Value); err != nil {
				t.report(ChecksumArray, at, "%s, which tells where the array of MD5s is, is broken: %v", a.Name, err)
			} else {
				t.hasArea = true
			}
		}
	}
}
