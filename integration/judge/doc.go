// Package judge lets programs that others wrote say what is on a disc: one file
// per program, each of them turning a session into a [manifest.Tree].
//
// Most of these programs know a disc as a file whose newest volume descriptors
// lie at block 16. How they get to see a session at another address:
//
//	xorriso    -load sbsector N
//	isoinfo    -T N
//	bsdtar     a sparse copy of the disc file whose blocks from 16 on are those
//	7z         from N+16 on, up to the descriptor that ends the set, or those that
//	iso-info   follow them with the size of the disc (libcdio's programs and isovfy
//	iso-read   have no option for it)
//	isovfy
//
// All addresses in a session are those of the disc, so such a copy is what a
// drive shows whose newest session that is. The newest session of an overwritable
// medium is shown by block 16 of the disc file itself; then there is no copy and
// no help, which is how other people's computers will read it.
//
// What a program cannot show of a tree is said in its Expect function, with the
// reason; everything else is compared.
package judge
