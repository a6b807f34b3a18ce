// Package aaip is the Arbitrary Attribute Interchange Protocol, version 2.0
// (2009), of the libburnia project: extended attributes and access control lists
// of a file in System Use entries.
//
// The entries of a record, all but the last marked as continued, carry one
// stream of bytes in pieces of up to 250:
//
//	'A' 'L' LEN 1  flags  up to 250 bytes of the stream
//
// The stream is a row of component records. A component, which may take several
// records, is in turn the name and the value of an attribute:
//
//	flags  1  bit 0: the component goes on in the next record
//	length 1
//	text   length
//
// A name begins with a byte that stands for its namespace (2 "system.", 3
// "user.", 4 "isofs.", 5 "trusted.", 6 "security."), or with 1 if what follows
// is to be taken literally. The empty name is that of the access control lists,
// whose value has a form of its own; this package translates it from and to the
// attributes system.posix_acl_access and system.posix_acl_default in the binary
// form that Linux gives them.
//
// Names beginning with "isofs." are the producer's notes, not attributes of the
// file: see package checksum for "isofs.ca" and "isofs.cx".
package aaip
