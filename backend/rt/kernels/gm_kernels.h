/* Layers that run on the core, for the target and, compiled from the same sources,
 * for the host: the in-process walker calls them, so --verify covers them too.
 * Every tensor is a view: address, element type, quantization, and for each logical
 * axis its size and pitch, so one kernel serves every layout.  Freestanding.
 * Meaning of each kernel: the machine operator of its name in ir/machine.h. */
#ifndef GM_KERNELS_H
#define GM_KERNELS_H
#include <stdint.h>

#define GM_RANK 8

enum gm_type { GM_I8, GM_U8, GM_I32, GM_I64, GM_F32, GM_BOOL, GM_I16, GM_U16, GM_U32, GM_F64 };

struct gm_view {
    void *data;                  /* element 0,0,.. */
    int32_t type, rank;
    float scale;                 /* real = scale * (stored - zero); 0: not quantized */
    int32_t zero;
    int64_t dim[GM_RANK], pitch[GM_RANK]; /* bytes */
};

struct gm_call {
    const struct gm_view *in[4]; /* NULL: left out */
    const struct gm_view *out;
    int64_t i[40];               /* the operator's integers, as below */
    float f[4];
    const float *scale;          /* per column or channel, gm_matmul and gm_conv */
};

/* i: stride y x, dilation y x, pads t l b r, groups, pad_value, relu, scale_block, nscale,
 * pooled; if so, what gm_k_pool takes: the greatest, on the way out */
void gm_k_conv(const struct gm_call *c);
/* i: ta, tb, relu, scale_block, nscale */
void gm_k_matmul(const struct gm_call *c);
/* i: ma, mb, bias, relu; f: scale */
void gm_k_add(const struct gm_call *c);
/* i: kind, kernel y x, stride y x, dilation y x, pads t l b r, include_pad */
void gm_k_pool(const struct gm_call *c);
/* in[1]: 256 bytes */
void gm_k_table(const struct gm_call *c);
void gm_k_convert(const struct gm_call *c);
/* Order of i: rank, perm, src_start, src_step, dst_start, count (each `rank` long),
 * fills, fill; rank at most 7. */
void gm_k_move(const struct gm_call *c);
/* i: axis, log */
void gm_k_softmax(const struct gm_call *c);
/* i: op (ir/map.def); f: p, q */
void gm_k_map(const struct gm_call *c);
/* i: op, number of axes, axes, keepdims at i[10] */
void gm_k_reduce(const struct gm_call *c);
/* i: axis */
void gm_k_gather(const struct gm_call *c);

#endif
