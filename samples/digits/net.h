/* The network of the sample and what trains it. */
#ifndef DIGITS_NET_H
#define DIGITS_NET_H
#include <stdint.h>

struct arena;

enum { NET_SIDE = 28, NET_PIXELS = NET_SIDE * NET_SIDE, NET_CLASSES = 10 };

enum { NET_CONVS = 3 };

/* One array of weights, its gradient and the two moments of Adam. */
struct param {
    float *w, *grad, *first, *second;
    int n;
};

/* 3x3, stride 1, followed by Relu and perhaps a 2x2 MaxPool.  Activations are NHWC.
 * Weights are stored [tap][out][in]: both halves of the backward step then run along
 * `in`; the forward step takes a copy as [tap][in][out]. */
struct conv {
    int cin, cout, side, out; /* side of input and of convolved picture */
    int pad, pool;            /* pool: 1 or 2 */
    struct param w, b;
    float *forward; /* copy of w */
    float *y, *dy;  /* after Relu: out x out x cout */
    float *z, *dz;  /* after the pool; y and dy without one */
};

struct net {
    struct conv conv[NET_CONVS];
    struct param fc_w, fc_b; /* [position and channel][class] */
    int features;
    float score[NET_CLASSES]; /* of the last net_forward, after Softmax */
    int64_t step;
};

struct net *net_new(struct arena *a, uint64_t seed);
/* Pixels are 0..1.  Returns the best class. */
int net_forward(struct net *n, const float *pixels);
/* Adds the gradient of the last forward for this class; returns the loss. */
float net_backward(struct net *n, const float *pixels, int label);
/* One step of Adam with the mean gradient of `batch` samples. */
void net_update(struct net *n, int batch, float rate);

#endif
