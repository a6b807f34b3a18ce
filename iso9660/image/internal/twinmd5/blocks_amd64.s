#include "textflag.h"

// The table T (RFC 1321 3.4): T[i] is the integer part of 4294967296 times
// abs(sin(i)), i in radians from 1.
DATA table<>+0(SB)/4, $0xd76aa478
DATA table<>+4(SB)/4, $0xe8c7b756
DATA table<>+8(SB)/4, $0x242070db
DATA table<>+12(SB)/4, $0xc1bdceee
DATA table<>+16(SB)/4, $0xf57c0faf
DATA table<>+20(SB)/4, $0x4787c62a
DATA table<>+24(SB)/4, $0xa8304613
DATA table<>+28(SB)/4, $0xfd469501
DATA table<>+32(SB)/4, $0x698098d8
DATA table<>+36(SB)/4, $0x8b44f7af
DATA table<>+40(SB)/4, $0xffff5bb1
DATA table<>+44(SB)/4, $0x895cd7be
DATA table<>+48(SB)/4, $0x6b901122
DATA table<>+52(SB)/4, $0xfd987193
DATA table<>+56(SB)/4, $0xa679438e
DATA table<>+60(SB)/4, $0x49b40821
DATA table<>+64(SB)/4, $0xf61e2562
DATA table<>+68(SB)/4, $0xc040b340
DATA table<>+72(SB)/4, $0x265e5a51
DATA table<>+76(SB)/4, $0xe9b6c7aa
DATA table<>+80(SB)/4, $0xd62f105d
DATA table<>+84(SB)/4, $0x02441453
DATA table<>+88(SB)/4, $0xd8a1e681
DATA table<>+92(SB)/4, $0xe7d3fbc8
DATA table<>+96(SB)/4, $0x21e1cde6
DATA table<>+100(SB)/4, $0xc33707d6
DATA table<>+104(SB)/4, $0xf4d50d87
DATA table<>+108(SB)/4, $0x455a14ed
DATA table<>+112(SB)/4, $0xa9e3e905
DATA table<>+116(SB)/4, $0xfcefa3f8
DATA table<>+120(SB)/4, $0x676f02d9
DATA table<>+124(SB)/4, $0x8d2a4c8a
DATA table<>+128(SB)/4, $0xfffa3942
DATA table<>+132(SB)/4, $0x8771f681
DATA table<>+136(SB)/4, $0x6d9d6122
DATA table<>+140(SB)/4, $0xfde5380c
DATA table<>+144(SB)/4, $0xa4beea44
DATA table<>+148(SB)/4, $0x4bdecfa9
DATA table<>+152(SB)/4, $0xf6bb4b60
DATA table<>+156(SB)/4, $0xbebfbc70
DATA table<>+160(SB)/4, $0x289b7ec6
DATA table<>+164(SB)/4, $0xeaa127fa
DATA table<>+168(SB)/4, $0xd4ef3085
DATA table<>+172(SB)/4, $0x04881d05
DATA table<>+176(SB)/4, $0xd9d4d039
DATA table<>+180(SB)/4, $0xe6db99e5
DATA table<>+184(SB)/4, $0x1fa27cf8
DATA table<>+188(SB)/4, $0xc4ac5665
DATA table<>+192(SB)/4, $0xf4292244
DATA table<>+196(SB)/4, $0x432aff97
DATA table<>+200(SB)/4, $0xab9423a7
DATA table<>+204(SB)/4, $0xfc93a039
DATA table<>+208(SB)/4, $0x655b59c3
DATA table<>+212(SB)/4, $0x8f0ccc92
DATA table<>+216(SB)/4, $0xffeff47d
DATA table<>+220(SB)/4, $0x85845dd1
DATA table<>+224(SB)/4, $0x6fa87e4f
DATA table<>+228(SB)/4, $0xfe2ce6e0
DATA table<>+232(SB)/4, $0xa3014314
DATA table<>+236(SB)/4, $0x4e0811a1
DATA table<>+240(SB)/4, $0xf7537e82
DATA table<>+244(SB)/4, $0xbd3af235
DATA table<>+248(SB)/4, $0x2ad7d2bb
DATA table<>+252(SB)/4, $0xeb86d391
GLOBL table<>(SB), RODATA|NOPTR, $256

// STEP is a = b + ((a + f(b, c, d) + message[k] + T[i]) <<< s) in both halves of a
// register. The table of f says what it yields for each three bits of b, c and d.
#define STEP(f, a, b, c, d, k, i, s) \
	VPADDD.BCST (4*i)(R8), a, a; \
	VPADDD.BCST (4*k)(SI), a, a; \
	VMOVDQA     b, X8;           \
	VPTERNLOGD  f, d, c, X8;     \
	VPADDD      X8, a, a;        \
	VPROLD      $s, a, a;        \
	VPADDD      b, a, a

// F(x,y,z) = (x and y) or (not x and z)
#define F $0xca
// G(x,y,z) = (x and z) or (y and not z)
#define G $0xe4
// H(x,y,z) = x xor y xor z
#define H $0x96
// I(x,y,z) = y xor (x or not z)
#define I $0x39

// func blocks(words *[8]uint32, p []byte)
TEXT ·blocks(SB), NOSPLIT, $0-32
	MOVQ  words+0(FP), DI
	MOVQ  p_base+8(FP), SI
	MOVQ  p_len+16(FP), DX
	SHRQ  $6, DX
	JZ    done
	LEAQ  table<>(SB), R8
	VMOVQ 0(DI), X0
	VMOVQ 8(DI), X1
	VMOVQ 16(DI), X2
	VMOVQ 24(DI), X3

loop:
	VMOVDQA X0, X4
	VMOVDQA X1, X5
	VMOVDQA X2, X6
	VMOVDQA X3, X7

	STEP(F, X0, X1, X2, X3, 0, 0, 7)
	STEP(F, X3, X0, X1, X2, 1, 1, 12)
	STEP(F, X2, X3, X0, X1, 2, 2, 17)
	STEP(F, X1, X2, X3, X0, 3, 3, 22)
	STEP(F, X0, X1, X2, X3, 4, 4, 7)
	STEP(F, X3, X0, X1, X2, 5, 5, 12)
	STEP(F, X2, X3, X0, X1, 6, 6, 17)
	STEP(F, X1, X2, X3, X0, 7, 7, 22)
	STEP(F, X0, X1, X2, X3, 8, 8, 7)
	STEP(F, X3, X0, X1, X2, 9, 9, 12)
	STEP(F, X2, X3, X0, X1, 10, 10, 17)
	STEP(F, X1, X2, X3, X0, 11, 11, 22)
	STEP(F, X0, X1, X2, X3, 12, 12, 7)
	STEP(F, X3, X0, X1, X2, 13, 13, 12)
	STEP(F, X2, X3, X0, X1, 14, 14, 17)
	STEP(F, X1, X2, X3, X0, 15, 15, 22)

	STEP(G, X0, X1, X2, X3, 1, 16, 5)
	STEP(G, X3, X0, X1, X2, 6, 17, 9)
	STEP(G, X2, X3, X0, X1, 11, 18, 14)
	STEP(G, X1, X2, X3, X0, 0, 19, 20)
	STEP(G, X0, X1, X2, X3, 5, 20, 5)
	STEP(G, X3, X0, X1, X2, 10, 21, 9)
	STEP(G, X2, X3, X0, X1, 15, 22, 14)
	STEP(G, X1, X2, X3, X0, 4, 23, 20)
	STEP(G, X0, X1, X2, X3, 9, 24, 5)
	STEP(G, X3, X0, X1, X2, 14, 25, 9)
	STEP(G, X2, X3, X0, X1, 3, 26, 14)
	STEP(G, X1, X2, X3, X0, 8, 27, 20)
	STEP(G, X0, X1, X2, X3, 13, 28, 5)
	STEP(G, X3, X0, X1, X2, 2, 29, 9)
	STEP(G, X2, X3, X0, X1, 7, 30, 14)
	STEP(G, X1, X2, X3, X0, 12, 31, 20)

	STEP(H, X0, X1, X2, X3, 5, 32, 4)
	STEP(H, X3, X0, X1, X2, 8, 33, 11)
	STEP(H, X2, X3, X0, X1, 11, 34, 16)
	STEP(H, X1, X2, X3, X0, 14, 35, 23)
	STEP(H, X0, X1, X2, X3, 1, 36, 4)
	STEP(H, X3, X0, X1, X2, 4, 37, 11)
	STEP(H, X2, X3, X0, X1, 7, 38, 16)
	STEP(H, X1, X2, X3, X0, 10, 39, 23)
	STEP(H, X0, X1, X2, X3, 13, 40, 4)
	STEP(H, X3, X0, X1, X2, 0, 41, 11)
	STEP(H, X2, X3, X0, X1, 3, 42, 16)
	STEP(H, X1, X2, X3, X0, 6, 43, 23)
	STEP(H, X0, X1, X2, X3, 9, 44, 4)
	STEP(H, X3, X0, X1, X2, 12, 45, 11)
	STEP(H, X2, X3, X0, X1, 15, 46, 16)
	STEP(H, X1, X2, X3, X0, 2, 47, 23)

	STEP(I, X0, X1, X2, X3, 0, 48, 6)
	STEP(I, X3, X0, X1, X2, 7, 49, 10)
	STEP(I, X2, X3, X0, X1, 14, 50, 15)
	STEP(I, X1, X2, X3, X0, 5, 51, 21)
	STEP(I, X0, X1, X2, X3, 12, 52, 6)
	STEP(I, X3, X0, X1, X2, 3, 53, 10)
	STEP(I, X2, X3, X0, X1, 10, 54, 15)
	STEP(I, X1, X2, X3, X0, 1, 55, 21)
	STEP(I, X0, X1, X2, X3, 8, 56, 6)
	STEP(I, X3, X0, X1, X2, 15, 57, 10)
	STEP(I, X2, X3, X0, X1, 6, 58, 15)
	STEP(I, X1, X2, X3, X0, 13, 59, 21)
	STEP(I, X0, X1, X2, X3, 4, 60, 6)
	STEP(I, X3, X0, X1, X2, 11, 61, 10)
	STEP(I, X2, X3, X0, X1, 2, 62, 15)
	STEP(I, X1, X2, X3, X0, 9, 63, 21)

	VPADDD X4, X0, X0
	VPADDD X5, X1, X1
	VPADDD X6, X2, X2
	VPADDD X7, X3, X3
	ADDQ   $64, SI
	DECQ   DX
	JNZ    loop

	VMOVQ X0, 0(DI)
	VMOVQ X1, 8(DI)
	VMOVQ X2, 16(DI)
	VMOVQ X3, 24(DI)

done:
	RET
