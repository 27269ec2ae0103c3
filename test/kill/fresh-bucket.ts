import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

/** An empty bucket on the S3 service of the environment (`S3_TEST_URL` and its keys); null when there is none. */
export const freshBucket = async () => {
  const {
    S3_TEST_URL: testUrl,
    S3_TEST_ACCESS_KEY_ID: accessKeyId = '',
    S3_TEST_SECRET_ACCESS_KEY: secretAccessKey = '',
  } = process.env;
  if (testUrl === undefined || testUrl === '') return null;
  const asked = new URL(testUrl);
  const endpoint = asked.protocol === 's3:' ? (asked.searchParams.get('endpoint') ?? '') : asked.origin;
  const bucket = `kill-${randomBytes(6).toString('hex')}`;
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return {
    url: `s3://${bucket}?endpoint=${encodeURIComponent(endpoint)}&region=us-east-1`,
    credentials,
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
  };
};
