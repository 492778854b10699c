/** Headers that need nothing of Node's fetch: build.js gives them to the library that calls etcd. */
export { Headers } from 'headers-polyfill';
