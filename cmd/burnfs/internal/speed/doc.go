// Package speed understands the writing speed that a user asks for and settles
// it with the drive: only what the drive offers for the medium in it is ever
// asked of it.
//
//	wish                    offered                 settled
//	4x on a DVD  = 5540     22160 11080 5540 1385   5540
//	6x on a DVD  = 8310     22160 11080 5540 1385   5540, and the user is told
//	500                     22160 11080 5540 1385   1385, and the user is told
//
// kB are 1000 bytes, as everywhere in MMC.
package speed
