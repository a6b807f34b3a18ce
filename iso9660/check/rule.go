package check

import "fmt"

// A Rule is a kind of fault.
type Rule int

// The rules.
const (
	// Volume descriptors.
	DescriptorSet      Rule = iota + 1 // the set does not end, or a descriptor is missing
	DescriptorNumber                   // the two halves of a both-byte order field disagree
	DescriptorConstant                 // a field has not the value that it must have
	DescriptorText                     // a text has characters that are not allowed
	DescriptorDate                     // a date is none
	DescriptorReserved                 // a byte that has to be zero is not
	DescriptorFile                     // a file that is named is not in the root
	DescriptorsDiffer                  // the Joliet descriptor contradicts the primary one
	RootRecord                         // the root's record in a descriptor is wrong
	VolumeSize                         // the volume space size counts from the session's start

	// Path tables.
	PathTable      // a record is broken
	PathTableEntry // a table and the directories contradict each other
	PathTableOrder // the records are out of order
	PathTableForm  // a byte that has to be zero is not

	// Directories and their records.
	Unreadable       // a block cannot be read
	DirectoryRecord  // a record is broken
	DirectorySelf    // the first record is not that of the directory
	DirectoryParent  // the second record is not that of the parent
	DirectoryGap     // bytes follow the last record of a block
	DirectoryLength  // a directory does not end with a block
	DirectoryOrder   // records are out of order
	DirectoryLoop    // a directory lies in several directories, or in itself
	DuplicateName    // two entries of a directory have one name
	RecordNumber     // the two halves of a both-byte order field disagree
	RecordDate       // a date is none
	RecordIdentifier // an identifier has characters or a length that are not allowed
	IdentifierForm   // an identifier is not of the form of level 3
	RecordConstant   // a field has not the value that it must have
	Interleaved      // an interleaved file
	FileSections     // the sections of a file do not make a file
	ExtentOutside    // an extent ends beyond the volume
	ExtentOverlap    // two extents overlap

	// The System Use Sharing Protocol.
	SystemUseIndicator // Rock Ridge is there, but not announced by SP
	ExtensionReference // Rock Ridge is not announced by ER
	SystemUseEntry     // an entry is broken
	SystemUseForm      // an entry has a place, a length or flags that it must not have
	Continuation       // a Continuation Area cannot be followed
	ContinuationBeyond // a Continuation Area lies beyond the volume space size

	// Rock Ridge, AAIP and what is burnfs' own.
	FileAttributes // PX
	DeviceNumber   // PN
	SymbolicLink   // SL
	AlternateName  // NM
	Relocation     // CL, PL, RE
	TimeStamps     // TF
	LinkCount      // PX does not tell the number of names
	SerialNumber   // PX gives one serial number to different files
	Nanoseconds    // BF
	Attributes     // AL
	Compressed     // ZF, Z2
	CompressedData // a file with ZF cannot be decoded

	// Rock Ridge, further ones.
	SparseFile          // SF
	DirectoryAttributes // a directory has other attributes by its own record

	// Joliet.
	JolietIdentifier // an identifier that is not UCS-2
	JolietFile       // content that no file of the ISO 9660 tree has
	JolietMissing    // something of the ISO 9660 tree is missing

	// Checksums.
	ChecksumTag         // a tag is missing, damaged or out of place
	RelocatedSuperblock // the descriptors at block 16 are not those of the session that they name
	SuperblockChecksum  // the descriptors do not match their MD5
	TreeChecksum        // the directories do not match their MD5
	SessionChecksum     // the session does not match its MD5
	ChecksumArray       // the array of MD5s is missing or damaged
	ChecksumIndex       // a file's place in the array is none
	FileChecksum        // a file does not match its MD5
	SHA256Array         // the array of SHA-256s is announced wrongly, or damaged
	TreeSHA256          // descriptors and directories do not match their SHA-256
	FileSHA256          // a file does not match its SHA-256

	// What is not of the session's structures; see New.
	Session            // there is no tree that could be checked
	InterruptedSession // recording was interrupted, and a later session makes up for it

	// What the session is booted with.
	BootRecord  // the boot record is out of place, or names no catalogue
	BootCatalog // an entry of the boot catalogue is broken
	BootImage   // a boot image does not lie in the volume

	// Limit says that a part of the session was not checked because it is
	// implausibly large.
	Limit
)

const (
	checksums = "libisofs checksums.txt"
	burnfsOwn = "burnfs nanotime"
	zisofsOne = "libisofs zisofs_format.txt"
	burnfsSHA = "burnfs checksum"
)

// rules is never written to.
var rules = [...]struct {
	name     string
	severity Severity
	clause   string
}{
	DescriptorSet:      {"descriptor-set", Error, "ECMA-119 6.7.1"},
	DescriptorNumber:   {"descriptor-number", Error, "ECMA-119 7.2.3, 7.3.3"},
	DescriptorConstant: {"descriptor-constant", Warning, "ECMA-119 8.4"},
	DescriptorText:     {"descriptor-text", Warning, "ECMA-119 7.4"},
	DescriptorDate:     {"descriptor-date", Warning, "ECMA-119 8.4.26.1"},
	DescriptorReserved: {"descriptor-reserved", Warning, "ECMA-119 8.4"},
	DescriptorFile:     {"descriptor-file", Warning, "ECMA-119 8.4.20"},
	DescriptorsDiffer:  {"descriptors-differ", Warning, "ECMA-119 8.5"},
	RootRecord:         {"root-record", Error, "ECMA-119 8.4.18"},
	VolumeSize:         {"volume-size", Warning, "ECMA-119 8.4.8"},

	PathTable:      {"path-table", Error, "ECMA-119 9.4"},
	PathTableEntry: {"path-table-entry", Error, "ECMA-119 6.9"},
	PathTableOrder: {"path-table-order", Warning, "ECMA-119 6.9.1"},
	PathTableForm:  {"path-table-form", Warning, "ECMA-119 9.4.6"},

	Unreadable:       {"unreadable", Error, "ECMA-119 6.1.2"},
	DirectoryRecord:  {"directory-record", Error, "ECMA-119 9.1"},
	DirectorySelf:    {"directory-self", Error, "ECMA-119 6.8.2.2"},
	DirectoryParent:  {"directory-parent", Warning, "ECMA-119 6.8.2.2"},
	DirectoryGap:     {"directory-gap", Error, "ECMA-119 6.8.1.1"},
	DirectoryLength:  {"directory-length", Warning, "ECMA-119 6.8.1.3"},
	DirectoryOrder:   {"directory-order", Warning, "ECMA-119 9.3"},
	DirectoryLoop:    {"directory-loop", Error, "ECMA-119 6.8.2"},
	DuplicateName:    {"duplicate-name", Error, "ECMA-119 7.5, RRIP 4.1.4"},
	RecordNumber:     {"record-number", Error, "ECMA-119 7.2.3, 7.3.3"},
	RecordDate:       {"record-date", Warning, "ECMA-119 9.1.5"},
	RecordIdentifier: {"record-identifier", Warning, "ECMA-119 7.5, 7.6"},
	IdentifierForm:   {"identifier-form", Warning, "ECMA-119 7.5.1, 7.6.1"},
	RecordConstant:   {"record-constant", Warning, "ECMA-119 9.1.6, 9.1.9"},
	Interleaved:      {"interleaved", Error, "ECMA-119 9.1.7"},
	FileSections:     {"file-sections", Error, "ECMA-119 6.5.1, 9.1.6"},
	ExtentOutside:    {"extent-outside", Error, "ECMA-119 9.1.3"},
	ExtentOverlap:    {"extent-overlap", Error, "ECMA-119 6.4.4"},

	SystemUseIndicator: {"system-use-indicator", Error, "SUSP 5.3"},
	ExtensionReference: {"extension-reference", Warning, "SUSP 5.5"},
	SystemUseEntry:     {"system-use-entry", Error, "SUSP 4.1"},
	SystemUseForm:      {"system-use-form", Warning, "SUSP 5"},
	Continuation:       {"continuation", Error, "SUSP 5.1"},
	ContinuationBeyond: {"continuation-beyond", Error, "SUSP 5.1, ECMA-119 8.4.8"},

	FileAttributes: {"file-attributes", Error, "RRIP 4.1.1"},
	DeviceNumber:   {"device-number", Error, "RRIP 4.1.2"},
	SymbolicLink:   {"symbolic-link", Error, "RRIP 4.1.3"},
	AlternateName:  {"alternate-name", Error, "RRIP 4.1.4"},
	Relocation:     {"relocation", Error, "RRIP 4.1.5"},
	TimeStamps:     {"time-stamps", Warning, "RRIP 4.1.6"},
	LinkCount:      {"link-count", Warning, "RRIP 4.1.1"},
	SerialNumber:   {"serial-number", Error, "RRIP 4.1.1"},
	Nanoseconds:    {"nanoseconds", Error, burnfsOwn},
	Attributes:     {"attributes", Error, "AAIP 2.0"},
	Compressed:     {"compressed", Error, zisofsOne + ", ZF System Use Entry Format"},
	CompressedData: {"compressed-data", Error, zisofsOne + ", File Header, Block Pointers"},

	SparseFile:          {"sparse-file", Error, "RRIP 4.1.7"},
	DirectoryAttributes: {"directory-attributes", Warning, "RRIP 4.1.1"},

	JolietIdentifier: {"joliet-identifier", Error, "Joliet, character set"},
	JolietFile:       {"joliet-file", Error, "Joliet, directory hierarchy"},
	JolietMissing:    {"joliet-missing", Warning, "Joliet, directory hierarchy"},

	ChecksumTag:         {"checksum-tag", Error, checksums},
	RelocatedSuperblock: {"relocated-superblock", Error, checksums},
	SuperblockChecksum:  {"superblock-checksum", Error, checksums},
	TreeChecksum:        {"tree-checksum", Error, checksums},
	SessionChecksum:     {"session-checksum", Error, checksums},
	ChecksumArray:       {"checksum-array", Error, checksums},
	ChecksumIndex:       {"checksum-index", Error, checksums},
	FileChecksum:        {"file-checksum", Error, checksums},
	SHA256Array:         {"sha256-array", Error, burnfsSHA},
	TreeSHA256:          {"tree-sha256", Error, burnfsSHA},
	FileSHA256:          {"file-sha256", Error, burnfsSHA},

	Session:            {"session", Error, "ECMA-119 6.7.1"},
	InterruptedSession: {"interrupted-session", Warning, "ECMA-119 6.7.1"},

	BootRecord:  {"boot-record", Error, "El Torito 1.0 Figure 7"},
	BootCatalog: {"boot-catalog", Error, "El Torito 1.0 Figures 2 to 6"},
	BootImage:   {"boot-image", Warning, "El Torito 1.0 Figures 3, 5"},

	Limit: {"limit", Error, "ECMA-119 6.1"},
}

func (r Rule) known() bool { return r > 0 && int(r) < len(rules) }

// String is the rule's name, which does not change.
func (r Rule) String() string {
	if !r.known() {
		return fmt.Sprintf("rule %d", int(r))
	}
	return rules[r].name
}

// MarshalText makes JSON give the rule's name.
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText takes a rule's name. The error wraps ErrUnknown.
func (r *Rule) UnmarshalText(name []byte) error {
	for _, known := range Rules() {
		if known.String() == string(name) {
			*r = known
			return nil
		}
	}
	return fmt.Errorf("rule %q: %w", name, ErrUnknown)
}

// Severity is what breaking the rule means.
func (r Rule) Severity() Severity {
	if !r.known() {
		return Error
	}
	return rules[r].severity
}

// Clause is where the rule comes from.
func (r Rule) Clause() string {
	if !r.known() {
		return ""
	}
	return rules[r].clause
}

// Rules lists all of them.
func Rules() []Rule {
	all := make([]Rule, 0, len(rules)-1)
	for r := DescriptorSet; r.known(); r++ {
		all = append(all, r)
	}
	return all
}
