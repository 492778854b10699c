/** Headers that need nothing of Node's fetch, which takes 30 ms to load. Calls to etcd make some for each call: build.js puts these where they name the global ones. */
export { Headers } from 'headers-polyfill';
